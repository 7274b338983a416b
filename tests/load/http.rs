//! A client of few words: one connection, one request at a time. It works on the cores that it measures.

use std::net::SocketAddr;

use anyhow::{Context, Result, ensure};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

const END_OF_HEAD: &[u8] = b"\r\n\r\n";
const READ_BYTES: usize = 16 * 1024;

pub struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

/// An answer whose body is whole.
pub struct Answer {
    pub status: u16,
    head: String,
    pub body: Vec<u8>,
}

impl Answer {
    /// A header by its name in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        let lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines.into_iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    /// Fails with what was said, unless the status is this one.
    pub fn expect(self, status: u16) -> Result<Self> {
        ensure!(self.status == status, "answered {}: {}", self.status, String::from_utf8_lossy(&self.body));
        Ok(self)
    }
}

impl Connection {
    pub async fn open(address: SocketAddr) -> Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, buffer: Vec::with_capacity(READ_BYTES) })
    }

    /// `head` is the request line and all headers but the length, each with its line's end.
    pub async fn call(&mut self, head: &str, body: &str) -> Result<Answer> {
        let request = match body {
            "" => format!("{head}\r\n"),
            _ => format!("{head}content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}", body.len()),
        };
        self.stream.write_all(request.as_bytes()).await?;
        self.buffer.clear();
        let head_end = loop {
            if let Some(at) = self.buffer.windows(END_OF_HEAD.len()).position(|window| window == END_OF_HEAD) {
                break at + END_OF_HEAD.len();
            }
            self.read().await?;
        };
        let head = std::str::from_utf8(&self.buffer[..head_end])?.to_owned();
        let status = head.split(' ').nth(1).context("no status")?.parse()?;
        let mut answer = Answer { status, head, body: Vec::new() };
        let length: usize = answer.header("content-length").context("an answer without its length")?.parse()?;
        while self.buffer.len() < head_end + length {
            self.read().await?;
        }
        answer.body = self.buffer[head_end..head_end + length].to_vec();
        Ok(answer)
    }

    async fn read(&mut self) -> Result<()> {
        self.buffer.reserve(READ_BYTES);
        let read = self.stream.read_buf(&mut self.buffer).await?;
        ensure!(read > 0, "the connection was closed");
        Ok(())
    }
}
