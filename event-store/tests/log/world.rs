//! What a test lives in: a database of its own with the schema in it.

use std::str::FromStr;

use local_servers::LocalPostgres;
use sqlx::{PgPool, postgres::PgConnectOptions};

pub struct World {
    _server: LocalPostgres,
    pub options: PgConnectOptions,
    /// Past all walls: for looking, and for tampering.
    pub superuser: PgPool,
}

impl World {
    pub async fn new() -> Self {
        let server = LocalPostgres::start_temporary().await.expect("PostgreSQL starts");
        let options = PgConnectOptions::from_str(&server.url()).expect("the server's URL parses");
        let owner = PgPool::connect_with(options.clone()).await.expect("the owner connects");
        event_store::migrate(&owner).await.expect("the migrations run");
        event_store::migrate(&owner).await.expect("and run again");
        owner.close().await;
        let superuser = PgPool::connect(&server.superuser_url("casebook")).await.expect("the superuser connects");
        Self { _server: server, options, superuser }
    }
}
