//! From the name of a host to a shell on it.
use std::borrow::Cow;
use std::net::Shutdown;
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use protocol::terminal::Size;
use protocol::terminal::ssh::{SshConnected, SshTarget};
use russh::client::{self, AuthResult, Config, Handle, Msg};
use russh::keys::{
    Algorithm, HashAlg, PrivateKey, PrivateKeyWithHashAlg, PublicKeyBase64, PublicKeyOrCertificate, decode_secret_key,
};
use russh::{Channel, ChannelMsg, Preferred, Pty, SshId};
use tokio::net::TcpStream;
use tokio::task::spawn_blocking;
use tokio::time::timeout;

use super::Ssh;
use super::credentials::{self, Credentials};
use super::failure::Failure;
use super::known_hosts::{self, Known, file};
use crate::account::Account;

/// How long the network may take to let us through to a host.
const REACHED_WITHIN: Duration = Duration::from_secs(15);

/// How long all of it may take until there is a shell: an `sshd` that asks a name server about us may take half of it.
const OPENED_WITHIN: Duration = Duration::from_secs(45);

/// How often a host from which nothing comes is asked for a sign of life. Some routers forget idle connections after 30 s…
const ALIVE_EVERY: Duration = Duration::from_secs(20);

/// …and how often in vain until it counts as gone.
const ALIVE_TRIES: usize = 3;

/// How much of what a host writes may be on its way to us, in bytes: enough for tens of MB/s over a hundred milliseconds.
const WINDOW: u32 = 1024 * 1024;

/// Largest piece in which a host writes, in bytes.
const PIECE: u32 = 32 * 1024;

/// Pieces that wait for the terminal to take them. With these and what a connection has under way a host that floods takes about a
/// megabyte, and then waits.
const PIECES: usize = 8;

/// What programs there are told of the terminal.
const TERMINAL: &str = "xterm-256color";

/// How we call ourselves to hosts.
const OUR_NAME: &str = concat!("SSH-2.0-vsay_", env!("CARGO_PKG_VERSION"));

/// A shell on another host.
pub struct Connection {
    /// What it writes, and what it is told.
    pub channel: Channel<Msg>,
    /// What it has written already.
    pub early: Vec<Bytes>,
    /// The rest of the connection.
    pub handle: Handle<Host>,
    /// Ends the connection when it is dropped, whatever else is under way.
    pub wire: Wire,
    /// Where it is.
    pub connected: SshConnected,
}

/// A second hold on the connection's socket.
pub struct Wire(std::net::TcpStream);

impl Drop for Wire {
    fn drop(&mut self) {
        // One that is closed already needs no closing.
        let _ = self.0.shutdown(Shutdown::Both);
    }
}

/// What is known of a host before it is asked.
struct Way {
    credentials: Credentials,
    account: Account,
    key: PrivateKey,
    /// Which kinds of keys it is known by.
    kinds: Vec<Algorithm>,
}

/// The host, as far as its key goes.
pub struct Host {
    ssh: Arc<Ssh>,
    account: Account,
    address: String,
    port: u16,
    /// The key that is trusted since now.
    trusted: Arc<std::sync::Mutex<Option<String>>>,
}

/// Opens a shell on the host of a name.
pub async fn open(ssh: &Arc<Ssh>, target: &SshTarget, size: Size) -> Result<Connection, Failure> {
    let way = {
        let (ssh, hostname) = (Arc::clone(ssh), target.hostname.clone());
        let looked = spawn_blocking(move || look(&ssh, &hostname)).await;
        looked.map_err(|error| Failure::Broken(error.to_string()))??
    };
    let entry = &way.credentials.entry;
    let host = place(&entry.address, entry.port);
    if let Some(left) = ssh.pauses.left(&host, Instant::now()) {
        return Err(Failure::Pause { host, left });
    }
    let tcp = reach(&entry.address, entry.port, &host).await?;
    let opened = timeout(OPENED_WITHIN, log_in(ssh, way, target, tcp, size, &host)).await;
    let opened = opened.unwrap_or_else(|_| Err(Failure::Broken(format!("{host} does not answer any more"))));
    match &opened {
        Ok(_) => ssh.pauses.succeeded(&host),
        Err(failure) if failure.bothers() => ssh.pauses.failed(&host, Instant::now()),
        Err(_) => {}
    }
    opened
}

/// All that is on disks.
fn look(ssh: &Ssh, hostname: &str) -> Result<Way, Failure> {
    let credentials = credentials::find(&ssh.root, hostname).ok().flatten();
    let credentials = credentials.ok_or(Failure::NoCredentials)?;
    let key = decode_secret_key(&credentials.key, None).map_err(|error| Failure::Key {
        service: credentials.service.clone(),
        fault: match error {
            russh::keys::Error::KeyIsEncrypted => "is encrypted, and nobody is there to say what opens it".to_owned(),
            error => format!("cannot be read: {error}"),
        },
    })?;
    let account = Account::find_on(&ssh.system, &ssh.account).map_err(|error| Failure::Broken(error.to_string()))?;
    let known = read_known(&account)?;
    let kinds = known_hosts::kinds(&known, &credentials.entry.address, credentials.entry.port);
    Ok(Way {
        credentials,
        account,
        key,
        kinds,
    })
}

fn read_known(account: &Account) -> Result<Vec<u8>, Failure> {
    file::read(account).map_err(|error| Failure::KnownHosts {
        file: file::path(account),
        what: "read",
        why: error.to_string(),
    })
}

/// An address and a port, as people write them.
fn place(address: &str, port: u16) -> String {
    match address.contains(':') {
        true => format!("[{address}]:{port}"),
        false => format!("{address}:{port}"),
    }
}

async fn reach(address: &str, port: u16, host: &str) -> Result<TcpStream, Failure> {
    let unreachable = |why: String| Failure::Unreachable {
        host: host.to_owned(),
        why,
    };
    match timeout(REACHED_WITHIN, TcpStream::connect((address, port))).await {
        Ok(connected) => connected.map_err(|error| unreachable(error.to_string())),
        Err(_) => Err(unreachable(format!("no answer within {} s", REACHED_WITHIN.as_secs()))),
    }
}

async fn log_in(
    ssh: &Arc<Ssh>,
    way: Way,
    target: &SshTarget,
    tcp: TcpStream,
    size: Size,
    host: &str,
) -> Result<Connection, Failure> {
    let Way {
        credentials,
        account,
        key,
        kinds,
    } = way;
    let (tcp, wire, ip) = second_hold(tcp).map_err(|error| Failure::Broken(error.to_string()))?;
    let trusted = Arc::default();
    let known = Host {
        ssh: Arc::clone(ssh),
        account,
        address: credentials.entry.address.clone(),
        port: credentials.entry.port,
        trusted: Arc::clone(&trusted),
    };
    let mut handle = client::connect_stream(Arc::new(config(&kinds)), tcp, known).await?;
    let user = target.user.clone().unwrap_or_else(|| credentials.entry.user.clone());
    // With SHA-1 no key signs any more.
    let hash = match key.algorithm() {
        Algorithm::Rsa { .. } => handle
            .best_supported_rsa_hash()
            .await?
            .flatten()
            .or(Some(HashAlg::Sha512)),
        _ => None,
    };
    let key = PrivateKeyWithHashAlg::new(Arc::new(key), hash);
    let AuthResult::Success = handle.authenticate_publickey(user.clone(), key).await? else {
        return Err(Failure::Refused {
            host: host.to_owned(),
            user,
            service: credentials.service,
        });
    };
    let mut channel = handle.channel_open_session().await?;
    let mut early = Vec::new();
    let (cols, rows) = (size.cols.into(), size.rows.into());
    let modes = [(Pty::IUTF8, 1)];
    channel.request_pty(true, TERMINAL, cols, rows, 0, 0, &modes).await?;
    granted(&mut channel, host, "terminal", &mut early).await?;
    channel.request_shell(true).await?;
    granted(&mut channel, host, "shell", &mut early).await?;
    let trusted = trusted.lock().unwrap_or_else(PoisonError::into_inner).take();
    Ok(Connection {
        channel,
        early,
        handle,
        wire,
        connected: SshConnected {
            ip,
            user,
            default_user: credentials.entry.user,
            trusted,
        },
    })
}

/// Waits for the answer to what was asked of a channel. What a quick shell writes before it is kept.
async fn granted(
    channel: &mut Channel<Msg>,
    host: &str,
    what: &'static str,
    early: &mut Vec<Bytes>,
) -> Result<(), Failure> {
    loop {
        match channel.wait().await {
            Some(ChannelMsg::Success) => return Ok(()),
            Some(ChannelMsg::Data { data }) => early.push(data),
            Some(ChannelMsg::Failure | ChannelMsg::Close) | None => {
                return Err(Failure::NoShell {
                    host: host.to_owned(),
                    what,
                });
            }
            Some(_) => {}
        }
    }
}

/// A socket, what ends it, and whose address it leads to.
fn second_hold(tcp: TcpStream) -> std::io::Result<(TcpStream, Wire, String)> {
    let tcp = tcp.into_std()?;
    let wire = Wire(tcp.try_clone()?);
    tcp.set_nodelay(true)?;
    let ip = tcp.peer_addr()?.ip().to_canonical().to_string();
    Ok((TcpStream::from_std(tcp)?, wire, ip))
}

/// What we want of a host whose keys are known to be of these kinds: it is asked for those first, as one of another kind would be a
/// change.
fn config(kinds: &[Algorithm]) -> Config {
    let is_known = |algorithm: &Algorithm| {
        kinds.iter().any(|known| match (known, algorithm) {
            (Algorithm::Rsa { .. }, Algorithm::Rsa { .. }) => true,
            (known, algorithm) => known == algorithm,
        })
    };
    // The one with SHA-1 is none.
    let is_good = |algorithm: &&Algorithm| !matches!(algorithm, Algorithm::Rsa { hash: None });
    let mut keys: Vec<Algorithm> = Preferred::DEFAULT.key.iter().filter(is_good).cloned().collect();
    keys.sort_by_key(|algorithm| !is_known(algorithm));
    Config {
        client_id: SshId::Standard(Cow::Borrowed(OUR_NAME)),
        window_size: WINDOW,
        maximum_packet_size: PIECE,
        channel_buffer_size: PIECES,
        preferred: Preferred {
            key: Cow::Owned(keys),
            ..Preferred::DEFAULT
        },
        keepalive_interval: Some(ALIVE_EVERY),
        keepalive_max: ALIVE_TRIES,
        ..Config::default()
    }
}

impl client::Handler for Host {
    type Error = Failure;

    async fn check_server_key(&mut self, key: &PublicKeyOrCertificate) -> Result<bool, Failure> {
        let PublicKeyOrCertificate::PublicKey { key, .. } = key else {
            return Err(Failure::Broken(
                "the other end shows a certificate that nobody asked for".to_owned(),
            ));
        };
        let key = key.public_key_bytes();
        let (ssh, account) = (Arc::clone(&self.ssh), self.account.clone());
        let (address, port) = (self.address.clone(), self.port);
        let judged = spawn_blocking(move || judge(&ssh, &account, &address, port, &key)).await;
        let trusted = judged.map_err(|error| Failure::Broken(error.to_string()))??;
        *self.trusted.lock().unwrap_or_else(PoisonError::into_inner) = trusted;
        Ok(true)
    }
}

/// Whether a host may show this key. The answer is what is trusted from now on, if it was not before.
fn judge(ssh: &Ssh, account: &Account, address: &str, port: u16, key: &[u8]) -> Result<Option<String>, Failure> {
    let _one = ssh.trusting.lock().unwrap_or_else(PoisonError::into_inner);
    let (host, shown, path) = (place(address, port), known_hosts::described(key), file::path(account));
    match known_hosts::look_up(&read_known(account)?, address, port, key) {
        Known::Trusted => Ok(None),
        Known::Changed { line, known } => Err(Failure::Changed {
            host,
            shown,
            known,
            line,
            file: path,
        }),
        Known::Revoked { line } => Err(Failure::Revoked {
            host,
            shown,
            line,
            file: path,
        }),
        Known::Unknown if !ssh.trust_new_hosts => Err(Failure::Unknown {
            host,
            shown,
            file: path,
        }),
        Known::Unknown => {
            let written = file::append(account, known_hosts::line(address, port, key));
            written.map_err(|error| Failure::KnownHosts {
                file: path,
                what: "written",
                why: error.to_string(),
            })?;
            tracing::info!(%host, key = %shown, "a host is seen for the first time; its key is trusted from now on");
            Ok(Some(shown))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_asked_for_the_kinds_of_keys_that_are_known_of_it() {
        let first = |kinds: &[Algorithm]| config(kinds).preferred.key[0].clone();
        assert_eq!(first(&[]), Algorithm::Ed25519);
        let rsa = Algorithm::Rsa { hash: None };
        assert_eq!(
            first(std::slice::from_ref(&rsa)),
            Algorithm::Rsa {
                hash: Some(HashAlg::Sha512)
            }
        );
        assert!(!config(std::slice::from_ref(&rsa)).preferred.key.contains(&rsa));
    }

    #[test]
    fn an_address_with_colons_is_told_from_its_port() {
        assert_eq!(place("10.0.0.5", 22), "10.0.0.5:22");
        assert_eq!(place("fe80::1", 2222), "[fe80::1]:2222");
    }
}
