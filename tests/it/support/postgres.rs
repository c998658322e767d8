//! A database for each test, copied from a template that is migrated once a run.

use std::{
    collections::hash_map::DefaultHasher,
    hash::{Hash, Hasher},
    path::Path,
};

use lastbite::db::{
    self,
    embedded::{Embedded, Options},
};
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection, PgPool};
use tokio::sync::OnceCell;
use uuid::Uuid;

/// The key of the lock under which the template is made.
const TEMPLATE_LOCK: i64 = 0x1a57_b17e;

/// The cluster of this process, when `./x test` has not started one for all.
static OWN_CLUSTER: OnceCell<(Embedded, tempfile::Folder)> = OnceCell::const_new();

/// A fresh, migrated database. Answers its URL.
pub(crate) async fn database() -> String {
    let cluster = cluster().await;
    let mut admin = PgConnection::connect(&cluster).await.unwrap();
    let template = template(&mut admin, &cluster).await;
    let name = format!("t_{}", Uuid::now_v7().simple());
    let create = format!("create database {name} template {template} strategy file_copy");
    admin.execute(AssertSqlSafe(create)).await.unwrap();
    admin.close().await.unwrap();
    on_database(&cluster, &name)
}

#[expect(clippy::disallowed_methods, reason = "`./x test` tells its tests where the cluster is")]
async fn cluster() -> String {
    if let Ok(url) = std::env::var("LASTBITE_TEST_DATABASE_URL") {
        return url;
    }
    let (own, _) = OWN_CLUSTER
        .get_or_init(|| async {
            let folder = tempfile::Folder::new("lastbite-it");
            (embedded(folder.path()).await, folder)
        })
        .await;
    own.url().to_owned()
}

/// A Postgres of one's own, to be stopped and started.
#[expect(clippy::disallowed_methods, reason = "PATH says where the programs are")]
pub(crate) async fn embedded(folder: &Path) -> Embedded {
    let options =
        Options { data_dir: folder.to_owned(), durable: false, path: std::env::var_os("PATH"), ..Options::default() };
    Embedded::start(&options).await.unwrap()
}

/// The template of these migrations; made by whoever comes first, while the others wait.
async fn template(admin: &mut PgConnection, cluster: &str) -> String {
    let mut hasher = DefaultHasher::new();
    for migration in sqlx::migrate!().iter() {
        migration.checksum.hash(&mut hasher);
    }
    let name = format!("template_{:016x}", hasher.finish());
    sqlx::query("select pg_advisory_lock($1)").bind(TEMPLATE_LOCK).execute(&mut *admin).await.unwrap();
    let exists: bool = sqlx::query_scalar("select exists (select from pg_database where datname = $1)")
        .bind(&name)
        .fetch_one(&mut *admin)
        .await
        .unwrap();
    if !exists {
        let unfinished = format!("{name}_unfinished");
        admin.execute(AssertSqlSafe(format!("drop database if exists {unfinished}"))).await.unwrap();
        admin.execute(AssertSqlSafe(format!("create database {unfinished}"))).await.unwrap();
        let unfinished_url = on_database(cluster, &unfinished);
        db::migrate(&unfinished_url).await.unwrap();
        let pool = PgPool::connect(&unfinished_url).await.unwrap();
        db::make_partitions(&pool, lastbite::clock::Clock::system().wall()).await.unwrap();
        lastbite::foods::load(&pool).await.unwrap();
        pool.close().await;
        admin.execute(AssertSqlSafe(format!("alter database {unfinished} rename to {name}"))).await.unwrap();
    }
    sqlx::query("select pg_advisory_unlock($1)").bind(TEMPLATE_LOCK).execute(&mut *admin).await.unwrap();
    name
}

/// The same cluster's URL for another database.
fn on_database(url: &str, name: &str) -> String {
    let (base, query) = url.split_once('?').map_or((url, ""), |(base, query)| (base, query));
    let (server, _) = base.rsplit_once('/').unwrap();
    if query.is_empty() { format!("{server}/{name}") } else { format!("{server}/{name}?{query}") }
}

/// Folders that go away with the test.
pub(crate) mod tempfile {
    use std::path::{Path, PathBuf};

    use uuid::Uuid;

    pub(crate) struct Folder(PathBuf);

    impl Folder {
        pub(crate) fn new(name: &str) -> Self {
            let path = std::env::temp_dir().join(format!("{name}-{}", &Uuid::new_v4().simple().to_string()[..12]));
            std::fs::create_dir_all(&path).unwrap();
            Self(path)
        }

        pub(crate) fn path(&self) -> &Path {
            &self.0
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _gone = std::fs::remove_dir_all(&self.0);
        }
    }
}
