//! A small SMTP server on this machine, for tests: it takes mails, or refuses them, as it is told.

use std::{
    net::{Ipv4Addr, SocketAddr},
    sync::{Arc, Mutex, PoisonError},
};

use anyhow::Result;
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::watch,
    task::JoinHandle,
};

/// A mail that was taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TakenMail {
    pub from: String,
    pub to: Vec<String>,
    /// Headers and body, lines ended by `\n`.
    pub content: String,
}

/// What the server does with mails from now on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manner {
    Takes,
    /// Every recipient is answered with this code.
    Refuses(u16),
    /// The mail is taken, and the connection lost before that is said.
    TakesAndHangsUp,
    /// The mail is taken, and nothing is ever said of it.
    TakesAndSaysNothing,
}

/// It ends when it is dropped.
pub struct LocalSmtp {
    address: SocketAddr,
    manner: Arc<Mutex<Manner>>,
    taken: watch::Receiver<Vec<TakenMail>>,
    task: JoinHandle<()>,
}

impl LocalSmtp {
    /// On a port of its own, or on one where an earlier one was.
    ///
    /// # Errors
    /// The port is taken.
    pub async fn start(port: Option<u16>) -> Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port.unwrap_or(0))).await?;
        let address = listener.local_addr()?;
        let (takes, taken) = watch::channel(Vec::new());
        let manner = Arc::new(Mutex::new(Manner::Takes));
        let task = tokio::spawn(serve(listener, manner.clone(), takes));
        Ok(Self { address, manner, taken, task })
    }

    /// `smtp://127.0.0.1:…`
    pub fn url(&self) -> String {
        format!("smtp://{}", self.address)
    }

    pub fn port(&self) -> u16 {
        self.address.port()
    }

    pub fn behaves(&self, manner: Manner) {
        *self.manner.lock().unwrap_or_else(PoisonError::into_inner) = manner;
    }

    pub fn taken(&self) -> Vec<TakenMail> {
        self.taken.borrow().clone()
    }
}

impl Drop for LocalSmtp {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(listener: TcpListener, manner: Arc<Mutex<Manner>>, takes: watch::Sender<Vec<TakenMail>>) {
    let takes = Arc::new(takes);
    // They end with the server.
    let mut conversations = tokio::task::JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        let conversation = Conversation::new(stream, manner.clone(), takes.clone());
        // A client that goes away ends its conversation.
        conversations.spawn(async move { drop(conversation.run().await) });
    }
}

struct Conversation {
    lines: Lines<BufReader<OwnedReadHalf>>,
    answers: OwnedWriteHalf,
    manner: Arc<Mutex<Manner>>,
    takes: Arc<watch::Sender<Vec<TakenMail>>>,
}

impl Conversation {
    fn new(stream: TcpStream, manner: Arc<Mutex<Manner>>, takes: Arc<watch::Sender<Vec<TakenMail>>>) -> Self {
        let (reads, answers) = stream.into_split();
        Self { lines: BufReader::new(reads).lines(), answers, manner, takes }
    }

    async fn say(&mut self, line: &str) -> std::io::Result<()> {
        self.answers.write_all(format!("{line}\r\n").as_bytes()).await
    }

    async fn run(mut self) -> std::io::Result<()> {
        self.say("220 local ESMTP").await?;
        let mut mail = TakenMail { from: String::new(), to: Vec::new(), content: String::new() };
        while let Some(line) = self.lines.next_line().await? {
            let manner = *self.manner.lock().unwrap_or_else(PoisonError::into_inner);
            let verb = line.split([' ', ':']).next().unwrap_or_default().to_ascii_uppercase();
            match (verb.as_str(), manner) {
                ("EHLO", _) => self.say("250-local\r\n250 8BITMIME").await?,
                ("MAIL", _) => {
                    mail = TakenMail { from: address(&line), to: Vec::new(), content: String::new() };
                    self.say("250 ok").await?;
                }
                ("RCPT", Manner::Refuses(code)) => self.say(&format!("{code} not {}", address(&line))).await?,
                ("RCPT", _) => {
                    mail.to.push(address(&line));
                    self.say("250 ok").await?;
                }
                ("DATA", _) => {
                    self.say("354 go on").await?;
                    mail.content = self.content().await?;
                    self.takes.send_modify(|taken| taken.push(mail.clone()));
                    match manner {
                        Manner::TakesAndHangsUp => return Ok(()),
                        Manner::TakesAndSaysNothing => std::future::pending().await,
                        Manner::Takes | Manner::Refuses(_) => self.say("250 taken").await?,
                    }
                }
                ("RSET" | "NOOP", _) => self.say("250 ok").await?,
                ("QUIT", _) => return self.say("221 bye").await,
                _ => self.say("502 what?").await?,
            }
        }
        Ok(())
    }

    /// Up to the line with a dot alone; another one that begins with a dot has one more.
    async fn content(&mut self) -> std::io::Result<String> {
        let mut content = String::new();
        while let Some(line) = self.lines.next_line().await? {
            if line == "." {
                break;
            }
            content.push_str(line.strip_prefix('.').unwrap_or(&line));
            content.push('\n');
        }
        Ok(content)
    }
}

/// `RCPT TO:<asha@example.org>`
fn address(line: &str) -> String {
    line.split_once('<')
        .and_then(|(_, rest)| rest.split_once('>'))
        .map_or(String::new(), |(address, _)| address.to_owned())
}
