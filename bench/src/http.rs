//! A small HTTP client: one keep-alive connection.
use anyhow::{Context, Result, bail, ensure};
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::{Method, Request, StatusCode, header};
use hyper_util::rt::TokioIo;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::net::TcpStream;

/// A connection to one origin.
pub struct Http {
    sender: SendRequest<Full<Bytes>>,
    authority: String,
    token: Option<String>,
}

/// Host and port of an origin.
pub fn authority(origin: &str) -> Result<&str> {
    origin
        .strip_prefix("http://")
        .with_context(|| format!("{origin} is no http:// address"))
}

/// A TCP connection whose small packets do not wait for each other.
pub async fn connect(origin: &str) -> Result<TcpStream> {
    let stream = TcpStream::connect(authority(origin)?)
        .await
        .with_context(|| format!("no connection to {origin}"))?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

impl Http {
    /// Connects. Requests carry the token.
    pub async fn open(origin: &str, token: Option<&str>) -> Result<Self> {
        let (sender, connection) = handshake(TokioIo::new(connect(origin).await?)).await?;
        // Ends with the sender; what goes wrong is seen by the request that waits.
        tokio::spawn(connection);
        Ok(Self {
            sender,
            authority: authority(origin)?.to_owned(),
            token: token.map(str::to_owned),
        })
    }

    /// Sends a request without a body and reads the whole answer.
    pub async fn get(&mut self, path: &str) -> Result<(StatusCode, Bytes)> {
        self.send(Method::GET, path, Full::default()).await
    }

    /// Sends JSON and reads JSON. Anything but success is an error, with the server's words.
    pub async fn call<T: DeserializeOwned>(&mut self, method: Method, path: &str, body: Option<Value>) -> Result<T> {
        let body = body.map(|body| body.to_string()).unwrap_or_default();
        let (status, answer) = self.send(method, path, Full::new(body.into())).await?;
        let text = String::from_utf8_lossy(&answer);
        ensure!(status.is_success(), "{path} answered {status}: {text}");
        serde_json::from_slice(&answer).with_context(|| format!("{path} answered {text}"))
    }

    async fn send(&mut self, method: Method, path: &str, body: Full<Bytes>) -> Result<(StatusCode, Bytes)> {
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::HOST, &self.authority)
            .header(header::CONTENT_TYPE, "application/json");
        if let Some(token) = &self.token {
            request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        }
        let Ok(response) = self.sender.send_request(request.body(body)?).await else {
            bail!("the connection broke while {path} was asked for");
        };
        let status = response.status();
        Ok((status, response.into_body().collect().await?.to_bytes()))
    }
}
