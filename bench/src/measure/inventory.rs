//! How long a page of an inventory takes, whatever there is besides.
use anyhow::{Context, Result, ensure};
use hyper::Method;
use protocol::api::inventory::objects::ObjectList;
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::http::Http;
use crate::product::Product;
use crate::stats::Latency;

/// Things of the type that has few…
pub const FEW: u64 = 1000;

/// …and of the one that has many.
pub const MANY: u64 = 100_000;

/// Things that one request lists, where requests are counted.
pub const LISTED: u64 = 50;

/// Requests of one run.
const REQUESTS: usize = 40;

/// Things that one statement adds.
const AT_ONCE: u64 = 10_000;

/// Makes a type with so many things, as the API would: with names, values to sort by, and a text to search.
pub async fn fill(product: &mut Product, slug: &str, count: u64) -> Result<()> {
    let fields = json!([
        {"name": "hostname", "type": "string", "required": true, "unique": true, "searchable": true},
        {"name": "ip_address", "type": "string", "searchable": true},
        {"name": "region", "type": "string"},
        {"name": "notes", "type": "text"},
    ]);
    let mut http = Http::open(&product.edge.url, Some(&product.token)).await?;
    let new = json!({"slug": slug, "label": slug, "fields": fields});
    let _: Value = http.call(Method::POST, "/api/inventory/types", Some(new)).await?;
    for first in (0..count).step_by(usize::try_from(AT_ONCE)?) {
        let last = count.min(first + AT_ONCE) - 1;
        product.edge.sql(&insert(slug, first, last)).await?;
    }
    let page: ObjectList = http.call(Method::GET, &address(slug, ""), None).await?;
    ensure!(
        page.total == count,
        "{slug} has {} things in place of {count}",
        page.total
    );
    Ok(())
}

fn insert(slug: &str, first: u64, last: u64) -> String {
    format!(
        "WITH RECURSIVE n (n) AS (SELECT {first} UNION ALL SELECT n + 1 FROM n WHERE n < {last}) \
         INSERT INTO inventory_objects (organization_id, type_id, name, data, search, created_at, updated_at) \
         SELECT t.organization_id, t.id, 'host-' || n, json_object('hostname', 'host-' || n, 'ip_address', '10.' || (n / 65536) || '.' || \
           (n / 256 % 256) || '.' || (n % 256), 'region', 'region-' || (n % 7), 'notes', 'Thing number ' || n || ' of the benchmark'), \
           'host-' || n || ' 10.' || (n / 65536) || '.' || (n / 256 % 256) || '.' || (n % 256), '2026-01-01T00:00:00.000Z', \
           '2026-01-01T00:00:00.000Z' FROM n JOIN inventory_types t ON t.slug = '{slug}'"
    )
}

fn address(slug: &str, query: &str) -> String {
    format!("/api/inventory/{slug}?per_page={LISTED}{query}")
}

/// Asks for a first page, one request after the other.
pub async fn measure(http: &mut Http, slug: &str, query: &str) -> Result<Latency> {
    let path = address(slug, query);
    let mut samples = Vec::new();
    for _ in 0..REQUESTS {
        let began = Instant::now();
        let (status, answer) = http.get(&path).await?;
        samples.push(began.elapsed());
        ensure!(status.is_success(), "{path} answered {status}");
        let page: ObjectList = serde_json::from_slice(&answer).with_context(|| path.clone())?;
        ensure!(
            page.objects.len() as u64 == LISTED.min(page.total),
            "{path} lists {}",
            page.objects.len()
        );
    }
    Latency::of(samples).context("nothing was asked")
}
