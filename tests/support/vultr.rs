//! A provider of instances: a small server of its own that answers as the published description of Vultr's API (version 2) says, field by
//! field, for one account. What it must not answer to, it does not: another key, another path, a cursor that it never gave.
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex};

use chrono::Utc;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::sync::watch;

use super::loopback::Loopback;

/// What opens the account.
pub const KEY: &str = "VULTRKEYOFATEST0123456789ABCDEFGHIJ";

/// A running provider. It ends when dropped.
pub struct Vultr {
    /// Its address.
    pub url: String,
    account: Arc<Mutex<Account>>,
    /// Whether requests that change something wait until this is no longer set.
    hold: watch::Sender<bool>,
    _server: Loopback,
}

#[derive(Default)]
struct Account {
    instances: Vec<Value>,
    /// How many a page has at most, whatever is asked for.
    page: usize,
    /// How the next requests are answered.
    turns: VecDeque<Turn>,
    /// When requests came, in milliseconds of the epoch.
    asked: Vec<i64>,
}

/// How a request is answered.
#[derive(Debug, Clone, Copy)]
pub enum Turn {
    /// As the account is.
    Well,
    /// A status, and what is wrong.
    Fault(u16, &'static str),
    /// A success, whose body is whatever.
    Text(&'static str),
    /// Less than was promised, then the end of the connection.
    Half,
    /// Never.
    Silence,
}

impl Vultr {
    /// An account without instances.
    pub async fn start() -> Self {
        let account = Arc::new(Mutex::new(Account {
            page: 500,
            ..Account::default()
        }));
        let (hold, held) = watch::channel(false);
        let of = account.clone();
        let server = Loopback::start(move |socket| serve(socket, of.clone(), held.clone())).await;
        Self {
            url: format!("http://{}", server.address),
            account,
            hold,
            _server: server,
        }
    }

    /// Adds an instance that runs, and gives its id.
    pub fn adds(&self, label: &str, region: &str, tags: &[&str]) -> String {
        let mut account = self.account.lock().unwrap();
        let number = account.instances.len() + 1;
        let id = format!("cb676a46-66fd-4dfb-b839-{number:012}");
        account.instances.push(json!({
            "id": id, "os": "Ubuntu 24.04 LTS x64", "ram": 1024, "disk": 25, "main_ip": format!("192.0.2.{number}"), "vcpu_count": 1,
            "region": region, "plan": "vc2-1c-1gb", "date_created": "2026-01-10T00:00:00+00:00", "status": "active",
            "allowed_bandwidth": 1000, "netmask_v4": "255.255.254.0", "gateway_v4": "192.0.2.254", "power_status": "running",
            "server_status": "ok", "v6_network": "", "v6_main_ip": "", "v6_network_size": 0, "label": label, "internal_ip": "",
            "kvm": "https://my.vultr.com/subs/vps/novnc/api.php?data=secret", "hostname": format!("{label}.example").replace(' ', "-"),
            "os_id": 2284, "app_id": 0, "image_id": "", "firewall_group_id": "", "features": [], "tags": tags,
            "default_password": "hunter2", "user_scheme": "root"
        }));
        id
    }

    /// Answers lists in pages of so many at most.
    pub fn pages_of(&self, size: usize) {
        self.account.lock().unwrap().page = size;
    }

    /// Answers the next requests so, and what is wrong.
    pub fn fails(&self, faults: &[(u16, &'static str)]) {
        let turns: Vec<Turn> = faults
            .iter()
            .map(|&(status, words)| Turn::Fault(status, words))
            .collect();
        self.answers(&turns);
    }

    /// Answers the next requests so, one after the other.
    pub fn answers(&self, turns: &[Turn]) {
        self.account.lock().unwrap().turns.extend(turns);
    }

    /// When requests came, in milliseconds of the epoch.
    pub fn asked(&self) -> Vec<i64> {
        self.account.lock().unwrap().asked.clone()
    }

    /// Has an instance stop by itself.
    pub fn halts(&self, id: &str) {
        self.account.lock().unwrap().halt(&[id.into()]);
    }

    /// Has an instance go by itself.
    pub fn loses(&self, label: &str) {
        let mut account = self.account.lock().unwrap();
        account.instances.retain(|instance| instance["label"] != label);
    }

    /// Lets requests that change something wait, or go on.
    pub fn holds(&self, held: bool) {
        self.hold.send_replace(held);
    }

    /// How an instance does; nothing if it is gone.
    pub fn power_of(&self, id: &str) -> Option<String> {
        let account = self.account.lock().unwrap();
        let found = account.instances.iter().find(|instance| instance["id"] == id);
        found.map(|instance| instance["power_status"].as_str().expect("a text").to_owned())
    }
}

impl Account {
    fn turn(&mut self) -> Turn {
        self.asked.push(Utc::now().timestamp_millis());
        self.turns.pop_front().unwrap_or(Turn::Well)
    }

    fn answer(&mut self, method: &str, target: &str, key: &str, body: &str) -> (u16, Value) {
        if key != format!("Bearer {KEY}") {
            return fault(401, "Invalid API token.");
        }
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let query: HashMap<&str, &str> = query.split('&').filter_map(|pair| pair.split_once('=')).collect();
        let steps: Vec<&str> = path.trim_start_matches('/').split('/').collect();
        match (method, &steps[..]) {
            ("GET", ["v2", "instances"]) => self.page("instances", self.instances.clone(), &query),
            ("GET", ["v2", "plans"]) => self.page("plans", plans(), &query),
            ("GET", ["v2", "account"]) => (
                200,
                json!({"account": {"name": "Example Account", "email": "admin@example.com", "acls": ["manage_users"], "balance": -100.55,
                    "pending_charges": 60.25, "last_payment_date": "2026-01-01T00:00:00+00:00", "last_payment_amount": -1.25}}),
            ),
            ("POST", ["v2", "instances", "halt"]) => {
                let body: Value = serde_json::from_str(body).unwrap_or_default();
                let ids = body["instance_ids"].as_array().cloned().unwrap_or_default();
                self.halt(&ids)
            }
            ("DELETE", ["v2", "instances", id]) => {
                let before = self.instances.len();
                self.instances.retain(|instance| instance["id"] != *id);
                match self.instances.len() < before {
                    true => (204, Value::Null),
                    false => fault(404, "Invalid instance-id."),
                }
            }
            _ => fault(404, "Invalid resource."),
        }
    }

    fn halt(&mut self, ids: &[Value]) -> (u16, Value) {
        let there = |id: &Value| self.instances.iter().any(|instance| instance["id"] == *id);
        if ids.is_empty() || !ids.iter().all(there) {
            return fault(400, "Invalid instance-id.");
        }
        for instance in &mut self.instances {
            if ids.contains(&instance["id"]) {
                instance["power_status"] = "stopped".into();
            }
        }
        (204, Value::Null)
    }

    /// A page of a list, with a cursor for the next one, as long as there is one.
    fn page(&self, name: &str, all: Vec<Value>, query: &HashMap<&str, &str>) -> (u16, Value) {
        let size = query.get("per_page").map_or(Some(100), |size| size.parse().ok());
        let Some(size) = size.filter(|size: &usize| (1..=500).contains(size)) else {
            return fault(400, "Invalid per_page.");
        };
        let size = size.min(self.page);
        let from = match query.get("cursor") {
            None => Some(0),
            // It is a text that means nothing to others, with signs that queries have to encode.
            Some(cursor) => cursor.strip_prefix("bmV4dA%3D%3D").and_then(|from| from.parse().ok()),
        };
        let Some(from) = from.filter(|from: &usize| *from <= all.len()) else {
            return fault(400, "Invalid cursor.");
        };
        let to = (from + size).min(all.len());
        let next = if to < all.len() {
            format!("bmV4dA=={to}")
        } else {
            String::new()
        };
        (
            200,
            json!({name: all[from..to], "meta": {"total": all.len(), "links": {"next": next, "prev": ""}}}),
        )
    }
}

fn plans() -> Vec<Value> {
    [("vc2-1c-1gb", 5.0), ("vc2-6c-16gb", 80.0)]
        .map(|(id, cost)| {
            json!({"id": id, "vcpu_count": 1, "ram": 1024, "disk": 25, "disk_count": 1, "bandwidth": 1024, "monthly_cost": cost,
                "hourly_cost": 0.007, "type": "vc2", "locations": ["mel", "fra"]})
        })
        .into()
}

fn fault(status: u16, words: &str) -> (u16, Value) {
    (status, json!({"error": words, "status": status}))
}

/// One request of a connection, which is then closed.
async fn serve(socket: TcpStream, account: Arc<Mutex<Account>>, mut held: watch::Receiver<bool>) {
    let mut stream = BufReader::new(socket);
    let Some((method, target, key, body)) = read(&mut stream).await else {
        return;
    };
    if method != "GET" && held.wait_for(|held| !held).await.is_err() {
        return;
    }
    let turn = account.lock().unwrap().turn();
    let (status, answer) = match turn {
        Turn::Well | Turn::Half => account.lock().unwrap().answer(&method, &target, &key, &body),
        Turn::Fault(status, words) => fault(status, words),
        Turn::Text(_) => (200, Value::Null),
        Turn::Silence => {
            // Until whoever asks has had enough.
            let _ = stream.read_u8().await;
            return;
        }
    };
    let body = match (turn, answer) {
        (Turn::Text(text), _) => text.to_owned(),
        (_, Value::Null) => String::new(),
        (_, answer) => answer.to_string(),
    };
    let said = if let Turn::Half = turn {
        body.len() / 2
    } else {
        body.len()
    };
    let answer = format!(
        "HTTP/1.1 {status} Said\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{}",
        body.len(),
        &body[..said]
    );
    let _ = stream.get_mut().write_all(answer.as_bytes()).await;
    let _ = stream.get_mut().shutdown().await;
}

/// Method, target, what the Authorization header says, and the body.
async fn read(stream: &mut BufReader<TcpStream>) -> Option<(String, String, String, String)> {
    let mut first = String::new();
    stream.read_line(&mut first).await.ok()?;
    let mut words = first.split_whitespace();
    let (method, target) = (words.next()?.to_owned(), words.next()?.to_owned());
    let (mut key, mut length) = (String::new(), 0);
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).await.ok()?;
        let Some((name, value)) = line.trim_end().split_once(": ") else {
            break;
        };
        match name.to_ascii_lowercase().as_str() {
            "authorization" => key = value.to_owned(),
            "content-length" => length = value.parse().ok()?,
            _ => {}
        }
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.ok()?;
    Some((method, target, key, String::from_utf8(body).ok()?))
}
