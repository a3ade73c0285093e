-- What an operator watches of the outbox. What waits is counted, and the oldest of it found, in the index that a webhook's page counts by
-- anyway, which has the time of making now, too.
DROP INDEX deliveries_waiting_by_webhook;
CREATE INDEX deliveries_waiting_by_webhook ON deliveries (webhook_id, created_at) WHERE status = 'pending';
-- What was given up lately.
CREATE INDEX deliveries_given_up ON deliveries (last_attempt_at, webhook_id) WHERE status = 'failed';
