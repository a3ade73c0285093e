//! What the API of the provider (Vultr's, version 2) is asked and says: pure, so that each rule has a test. `client` asks.
pub mod client;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

/// How many a page of a list has: the most that the API gives (its reference, "per_page").
pub const PER_PAGE: usize = 500;

/// How many pages of a list are read. All of them within the time that a job of the edge has, and the inventory of so many is an answer of a
/// few megabytes. What is left out is counted, and said.
pub const MAX_PAGES: usize = 5;

/// Longest words of the provider's that are shown, in characters.
const MAX_WORDS: usize = 300;

/// Hours in a month by which prices are told apart, where a plan has none by the hour: the API caps a month there.
const HOURS: f64 = 672.0;

/// A list, as far as it was read.
#[derive(Debug, PartialEq)]
pub struct Listed<T> {
    pub items: Vec<T>,
    /// How many there are besides.
    pub left_out: i64,
}

/// A list that is read page by page.
#[derive(Debug, Default)]
pub struct Pages {
    items: Vec<Value>,
    read: usize,
    total: usize,
    next: Option<String>,
}

impl Pages {
    /// What is to be asked for next of the list of these; nothing once it is read, or long enough.
    pub fn path(&self, name: &str) -> Option<String> {
        let first = format!("/v2/{name}?per_page={PER_PAGE}");
        match &self.next {
            _ if self.read == 0 => Some(first),
            Some(cursor) if self.read < MAX_PAGES => Some(format!("{first}&cursor={}", encoded(cursor))),
            _ => None,
        }
    }

    /// Takes a page. The error is what is wrong with it.
    pub fn take(&mut self, name: &str, body: &[u8]) -> Result<(), String> {
        let wrong = || format!("Vultr answered something else than a list of {name}");
        let mut body: Value = serde_json::from_slice(body).map_err(|_| wrong())?;
        let Some(Value::Array(items)) = body.get_mut(name).map(Value::take) else {
            return Err(wrong());
        };
        let meta = body.get("meta");
        let next = meta
            .and_then(|meta| meta.pointer("/links/next"))
            .and_then(Value::as_str);
        self.next = next.filter(|next| !next.is_empty()).map(str::to_owned);
        self.items.extend(items);
        self.read += 1;
        let total = meta.and_then(|meta| meta.get("total")).and_then(Value::as_u64);
        self.total = total.and_then(|total| total.try_into().ok()).unwrap_or(0);
        Ok(())
    }

    /// What was read, each entry as `read` has it. A list that goes on has at least one more.
    pub fn listed<T>(self, read: impl Fn(&Value) -> Result<T, String>) -> Result<Listed<T>, String> {
        let more = self.total.saturating_sub(self.items.len());
        let left_out = if self.next.is_some() { more.max(1) } else { 0 };
        Ok(Listed {
            items: self.items.iter().map(read).collect::<Result<_, _>>()?,
            left_out: i64::try_from(left_out).unwrap_or(i64::MAX),
        })
    }
}

/// A text within a query.
fn encoded(text: &str) -> String {
    let mut encoded = String::new();
    for byte in text.bytes() {
        match byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            true => encoded.push(byte.into()),
            false => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    encoded
}

fn text(value: &Value, name: &str) -> String {
    value.get(name).and_then(Value::as_str).unwrap_or_default().to_owned()
}

fn number(value: &Value, name: &str) -> Option<f64> {
    let value = value.get(name)?;
    value.as_f64().or_else(|| value.as_str()?.parse().ok())
}

/// An instance.
#[derive(Debug, Clone, PartialEq)]
pub struct Instance {
    pub id: String,
    /// What it is called in the inventory.
    pub host: String,
    pub label: String,
    pub region: String,
    pub plan: String,
    pub os: String,
    pub address: String,
    pub power_status: String,
    /// Each once.
    pub tags: Vec<String>,
}

impl Instance {
    /// What a list has of one. Passwords and consoles, which are there too, are not taken.
    pub fn read(value: &Value) -> Result<Self, String> {
        let id = text(value, "id");
        // It is part of paths.
        if id.is_empty() || !id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-') {
            return Err("Vultr answered an instance without an id".to_owned());
        }
        let (hostname, label) = (text(value, "hostname"), text(value, "label"));
        let host = [&hostname, &label]
            .into_iter()
            .find(|name| !name.is_empty())
            .unwrap_or(&id);
        let host = host.clone();
        let mut seen = BTreeSet::new();
        let tags = value.get("tags").and_then(Value::as_array).into_iter().flatten();
        let tags = tags.filter_map(Value::as_str).filter(|tag| seen.insert(*tag));
        Ok(Self {
            host,
            region: text(value, "region"),
            plan: text(value, "plan"),
            os: text(value, "os"),
            address: text(value, "main_ip"),
            power_status: text(value, "power_status"),
            tags: tags.map(str::to_owned).collect(),
            label,
            id,
        })
    }

    /// As the database takes it.
    pub fn to_json(&self) -> Value {
        json!({"id": self.id, "host": self.host, "label": self.label, "region": self.region, "plan": self.plan, "os": self.os,
            "address": self.address, "power_status": self.power_status, "tags": self.tags})
    }

    /// What people call it.
    pub fn name(&self) -> String {
        format!("{} ({})", self.label, self.region)
    }

    /// Whether there is nothing to halt.
    pub fn is_halted(&self) -> bool {
        self.power_status == "stopped"
    }
}

/// Gives those that share a name in the inventory their ids besides, all of them: whichever is listed first, names stay.
pub fn name_apart(instances: &mut [Instance]) {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for instance in instances.iter() {
        *counts.entry(instance.host.clone()).or_default() += 1;
    }
    for instance in instances {
        if counts.get(&instance.host).is_some_and(|count| *count > 1) {
            instance.host = format!("{}-{}", instance.host, instance.id);
        }
    }
}

/// A size that instances have.
#[derive(Debug, PartialEq)]
pub struct Plan {
    id: String,
    monthly_cost: f64,
    hourly_cost: f64,
}

impl Plan {
    /// What a list has of one.
    pub fn read(value: &Value) -> Result<Self, String> {
        let monthly_cost = number(value, "monthly_cost").unwrap_or_default();
        Ok(Self {
            id: text(value, "id"),
            monthly_cost,
            hourly_cost: number(value, "hourly_cost").unwrap_or(monthly_cost / HOURS),
        })
    }

    /// As the database takes it.
    pub fn to_json(&self) -> Value {
        json!({"id": self.id, "monthly_cost": self.monthly_cost, "hourly_cost": self.hourly_cost})
    }
}

/// What an account owes and has.
#[derive(Debug, PartialEq)]
pub struct Account {
    pending_charges: f64,
    balance: f64,
}

impl Account {
    /// What is answered of it.
    pub fn read(body: &[u8]) -> Result<Self, String> {
        let body: Value = serde_json::from_slice(body).unwrap_or_default();
        let account = body.get("account");
        let of = |name| account.and_then(|account| number(account, name));
        match (of("pending_charges"), of("balance")) {
            (Some(pending_charges), Some(balance)) => Ok(Self {
                pending_charges,
                balance,
            }),
            _ => Err("Vultr answered something else than an account".to_owned()),
        }
    }

    /// As it is published.
    pub fn to_json(&self) -> Value {
        json!({"pending_charges": self.pending_charges, "balance": self.balance})
    }
}

/// Whether the same request may be answered in a moment: too many came, or the API is not there just now.
pub fn passes(status: u16) -> bool {
    matches!(status, 429 | 503)
}

/// What is wrong with a status, in the provider's own words if it has some; nothing if it is a success.
pub fn fault(status: u16, body: &[u8]) -> Option<String> {
    if (200..300).contains(&status) {
        return None;
    }
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    let said: String = text(&body, "error").chars().take(MAX_WORDS).collect();
    let hint = match status {
        401 | 403 => " (is the key right, and is it limited to addresses?)",
        429 => " (too many requests)",
        300..=399 => " (redirects are not followed)",
        _ => "",
    };
    let colon = if said.is_empty() { "" } else { ": " };
    Some(format!("Vultr answered {status}{hint}{colon}{said}"))
}

#[cfg(test)]
mod tests;
