//! From a machine's row, and what its relay knows, to the body that clients see.
use chrono::DateTime;
use protocol::api::machines::{Machine, MachineStatus, Metrics};
use protocol::relay_contract::Status;

use super::row::MachineRow;

impl From<MachineRow> for Machine {
    fn from(row: MachineRow) -> Self {
        let metrics = Metrics {
            cpu_percent: row.cpu_percent,
            memory_percent: row.memory_percent,
            disk_percent: row.disk_percent,
            network_inbound: row.network_inbound,
            network_outbound: row.network_outbound,
            uptime_seconds: row.uptime_seconds,
        };
        let mut machine = Self {
            id: row.id,
            agent_id: row.agent_id,
            name: row.name,
            description: row.description,
            hostname: row.hostname,
            os: row.os,
            ip_address: row.ip_address,
            status: row.status,
            is_connected: row.is_connected,
            cpu_percent: 0.0,
            memory_percent: 0.0,
            disk_percent: 0.0,
            network_rx_bytes: 0,
            network_tx_bytes: 0,
            uptime: String::new(),
            uptime_seconds: 0,
            last_active: row.last_active,
            metrics_at: row.measured.at,
            health: row
                .status
                .is_online()
                .then_some(row.measured.health)
                .filter(|_| row.measured.at.is_some()),
            thresholds: row.measured.thresholds,
            command_policy: row.measured.command_policy,
            resource_stats: Metrics::default(),
            metadata: row.metadata,
            org_id: row.tenant_id.clone(),
            tenant_id: row.tenant_id,
            owner_id: row.owner_id,
            group_ids: row.group_ids,
            allowed_users: std::iter::once(row.owner).chain(row.granted_to).collect(),
            tags: row.tags,
            linux_user: row.linux_user,
            allow_sudo: row.allow_sudo,
            deploy_application: row.deploy_application,
            agent_version: row.agent_version,
            revoked: row.status == MachineStatus::Revoked,
            revoked_at: row.revoked_at,
            created_at: row.created_at,
            duplicate: row.duplicate,
            registration_token: None,
            install_command: None,
            custom_script: None,
        };
        set_metrics(&mut machine, metrics);
        machine
    }
}

/// Replaces what the row said last by what the relay knows now.
pub fn update(machine: &mut Machine, status: &Status) {
    machine.is_connected = status.connected;
    machine.status = match (status.connected, machine.status) {
        (true, MachineStatus::ExecutingScript) => MachineStatus::ExecutingScript,
        (true, _) => MachineStatus::Online,
        (false, _) => MachineStatus::Offline,
    };
    let time = |ms: Option<u64>| DateTime::from_timestamp_millis(i64::try_from(ms?).ok()?);
    machine.last_active = time(status.last_seen_ms).or(machine.last_active);
    if let Some(metrics) = &status.metrics {
        machine.metrics_at = time(status.metrics_at_ms).or(machine.metrics_at);
        set_metrics(machine, metrics.clone());
    }
    machine.health = status.metrics.is_some().then_some(status.health);
}

fn set_metrics(machine: &mut Machine, metrics: Metrics) {
    // A float that is negative or not a number becomes 0, and one that is too large the largest.
    let bytes = |megabytes: f64| (megabytes * 1e6).round() as u64;
    machine.cpu_percent = metrics.cpu_percent;
    machine.memory_percent = metrics.memory_percent;
    machine.disk_percent = metrics.disk_percent;
    machine.network_rx_bytes = bytes(metrics.network_inbound);
    machine.network_tx_bytes = bytes(metrics.network_outbound);
    machine.uptime = uptime(metrics.uptime_seconds);
    machine.uptime_seconds = metrics.uptime_seconds;
    machine.resource_stats = metrics;
}

/// `5d 12h 30m`, without leading zeros.
fn uptime(seconds: u64) -> String {
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3600 % 24, seconds / 60 % 60);
    match (days, hours) {
        (0, 0) => format!("{minutes}m"),
        (0, _) => format!("{hours}h {minutes}m"),
        _ => format!("{days}d {hours}h {minutes}m"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn machine() -> Machine {
        let text = r#"["000000000000000000000000","000000000000","alpha","","","","","offline",0,"",0,0,[],{},"",1.5,0,0,0,0,0,
            null,[null,"healthy",{},{}],"2026-01-01T00:00:00.000Z",null,"000000000000000000000000","ann","acme",[],["bob"],null]"#;
        Machine::from(serde_json::from_str::<MachineRow>(text).unwrap())
    }

    #[test]
    fn those_who_may_use_a_machine_are_its_owner_and_whom_it_was_granted_to() {
        assert_eq!(machine().allowed_users, ["ann", "bob"]);
    }

    #[test]
    fn live_facts_replace_stored_ones() {
        let mut machine = machine();
        let metrics = Metrics {
            cpu_percent: 7.0,
            network_inbound: 0.25,
            network_outbound: -1.0,
            uptime_seconds: 59,
            ..Metrics::default()
        };
        let status = Status {
            connected: true,
            metrics: Some(metrics),
            metrics_at_ms: Some(2_000),
            last_seen_ms: Some(1_000),
            ..Status::default()
        };
        update(&mut machine, &status);
        assert_eq!(
            (machine.status, machine.is_connected, machine.cpu_percent),
            (MachineStatus::Online, true, 7.0)
        );
        assert_eq!((machine.network_rx_bytes, machine.network_tx_bytes), (250_000, 0));
        assert_eq!(machine.last_active.map(|time| time.timestamp()), Some(1));
        assert_eq!(machine.metrics_at.map(|time| time.timestamp()), Some(2));
    }

    #[test]
    fn what_the_relay_does_not_know_stays_as_it_was_stored() {
        let mut machine = machine();
        update(&mut machine, &Status::default());
        assert_eq!(
            (machine.status, machine.cpu_percent, machine.last_active),
            (MachineStatus::Offline, 1.5, None)
        );
    }

    #[test]
    fn uptime_is_told_in_days_hours_and_minutes() {
        for (seconds, text) in [
            (0, "0m"),
            (59, "0m"),
            (3_599, "59m"),
            (3_600, "1h 0m"),
            (476_999, "5d 12h 29m"),
        ] {
            assert_eq!(uptime(seconds), text);
        }
    }
}
