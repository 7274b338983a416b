//! A socket in front of the server's, which can be cut at a chosen moment.

use std::sync::{
    Arc,
    atomic::{AtomicU8, Ordering},
};

use sqlx::postgres::PgConnectOptions;
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{
        UnixListener, UnixStream,
        unix::{OwnedReadHalf, OwnedWriteHalf},
    },
};

const NOTHING: u8 = 0;
const REQUEST: u8 = 1;
const ANSWER: u8 = 2;

pub struct Proxy {
    pub options: PgConnectOptions,
    cut: Arc<AtomicU8>,
    _folder: TempDir,
}

impl Proxy {
    pub async fn before(server: &PgConnectOptions) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let name = format!(".s.PGSQL.{}", server.get_port());
        let real = server.get_socket().expect("the server listens on a socket").join(&name);
        let listener = UnixListener::bind(folder.path().join(&name)).unwrap();
        let cut = Arc::new(AtomicU8::new(NOTHING));
        let cutting = cut.clone();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let server = UnixStream::connect(&real).await.unwrap();
                tokio::spawn(pass(client, server, cutting.clone()));
            }
        });
        Self { options: server.clone().socket(folder.path()), cut, _folder: folder }
    }

    /// The next thing that a client sends is swallowed, and its connection ends.
    pub fn cut_next_request(&self) {
        self.cut.store(REQUEST, Ordering::SeqCst);
    }

    /// The next thing that the server answers is swallowed, and the connection ends.
    pub fn cut_next_answer(&self) {
        self.cut.store(ANSWER, Ordering::SeqCst);
    }

    pub fn has_cut(&self) -> bool {
        self.cut.load(Ordering::SeqCst) == NOTHING
    }
}

async fn pass(client: UnixStream, server: UnixStream, cut: Arc<AtomicU8>) {
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    tokio::select! {
        () = copy(from_client, to_server, cut.clone(), REQUEST) => {}
        () = copy(from_server, to_client, cut, ANSWER) => {}
    }
}

/// Until an end closes, or it is time to cut.
async fn copy(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, cut: Arc<AtomicU8>, when: u8) {
    let mut buffer = vec![0; 64 * 1024];
    while let Ok(read @ 1..) = from.read(&mut buffer).await {
        if cut.compare_exchange(when, NOTHING, Ordering::SeqCst, Ordering::SeqCst).is_ok() {
            return;
        }
        if to.write_all(&buffer[..read]).await.is_err() {
            return;
        }
    }
}
