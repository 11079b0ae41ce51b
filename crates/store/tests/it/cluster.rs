//! PostgreSQL for the tests. All test processes share one server, which the first of them starts under `target`; each test has
//! a database of its own there. A test that stops its server has one of its own.

use std::fs::File;
use std::os::unix::fs::{MetadataExt, chown};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

/// The server's owner within the database.
const USER: &str = "carillon";
/// Where Debian puts the programs of the version that is promised.
const PROGRAMS: &str = "/usr/lib/postgresql/15/bin";
/// Tests restart servers, never the machine: what the server has written survives.
const OPTIONS: &str =
    "-c listen_addresses='' -c fsync=off -c max_connections=200 -c max_wal_size=256MB";

/// A server.
pub struct Cluster {
    folder: PathBuf,
}

impl Cluster {
    /// The one of all tests, started if need be. `cargo xtask test` stops it at its end.
    pub fn shared() -> Self {
        let program = std::env::current_exe().expect("this program has a path");
        let target = program
            .ancestors()
            .nth(3)
            .expect("tests run from target/<profile>/deps");
        let folder = target.join("tmp/postgres");
        std::fs::create_dir_all(&folder).expect("a folder");
        let lock = File::create(target.join("tmp/postgres.lock")).expect("a lock");
        lock.lock().expect("the other tests let go");
        let cluster = Self { folder };
        if !cluster.is_ready() {
            cluster.make();
            cluster.start();
        }
        cluster
    }

    /// One in a folder of the test's own.
    pub fn private(folder: &Path) -> Self {
        let cluster = Self {
            folder: folder.to_owned(),
        };
        cluster.make();
        cluster.start();
        cluster
    }

    /// Runs a program of PostgreSQL: never as root, which it refuses.
    fn run(&self, program: &str, arguments: &[&str]) -> bool {
        let program = format!("{PROGRAMS}/{program}");
        assert!(
            Path::new(&program).exists(),
            "the tests need the Debian package postgresql-15"
        );
        let is_root = std::fs::metadata("/proc/self").is_ok_and(|own| own.uid() == 0);
        let mut command = if is_root {
            let mut command = Command::new("runuser");
            command.args(["-u", "postgres", "--", &program]);
            command
        } else {
            Command::new(&program)
        };
        command
            .args(arguments)
            .current_dir(&self.folder)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .is_ok_and(|status| status.success())
    }

    fn is_ready(&self) -> bool {
        let folder = self.folder.to_str().expect("UTF-8");
        self.folder.join("data/PG_VERSION").exists()
            && self.run("pg_isready", &["-q", "-h", folder, "-U", USER])
    }

    fn make(&self) {
        if std::fs::metadata("/proc/self").is_ok_and(|own| own.uid() == 0) {
            let home = std::fs::metadata("/var/lib/postgresql").expect("the package's folder");
            chown(&self.folder, Some(home.uid()), Some(home.gid())).expect("root gives it away");
        }
        if !self.folder.join("data/PG_VERSION").exists() {
            let arguments = [
                "-D",
                "data",
                "-A",
                "trust",
                "-U",
                USER,
                "-E",
                "UTF8",
                "--locale=C",
                "--no-sync",
            ];
            assert!(self.run("initdb", &arguments), "initdb failed");
        }
    }

    /// Starts it and waits until it answers.
    pub fn start(&self) {
        let options = format!("-k {} {OPTIONS}", self.folder.display());
        let started = self.run(
            "pg_ctl",
            &["-D", "data", "-l", "log", "-w", "-o", &options, "start"],
        );
        assert!(started, "see {}", self.folder.join("log").display());
    }

    /// Stops it as a crash would.
    pub fn crash(&self) {
        assert!(self.run("pg_ctl", &["-D", "data", "-w", "-m", "immediate", "stop"]));
    }

    /// An empty database.
    pub fn database(&self) -> Database {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let database = Database {
            name: format!("test_{}_{number}", std::process::id()),
            folder: self.folder.clone(),
        };
        administer(
            &self.folder,
            &[
                &format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", database.name),
                &format!("CREATE DATABASE {}", database.name),
            ],
        );
        database
    }
}

/// A database, dropped at its end.
pub struct Database {
    name: String,
    folder: PathBuf,
}

impl Database {
    /// How it is reached.
    pub fn url(&self) -> String {
        url(&self.folder, &self.name)
    }

    /// Runs statements in it, each by itself.
    pub fn run(&self, statements: &[&str]) {
        run(&self.url(), statements);
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        // A server of the test's own is gone with all of its databases.
        if self.folder.join("data/postmaster.pid").exists() && !std::thread::panicking() {
            administer(
                &self.folder,
                &[&format!("DROP DATABASE {} WITH (FORCE)", self.name)],
            );
        }
    }
}

fn url(folder: &Path, name: &str) -> String {
    format!("host='{}' user={USER} dbname={name}", folder.display())
}

fn administer(folder: &Path, statements: &[&str]) {
    run(&url(folder, "postgres"), statements);
}

fn run(url: &str, statements: &[&str]) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        let (client, connection) = tokio_postgres::connect(url, tokio_postgres::NoTls)
            .await
            .expect("the server answers");
        tokio::spawn(connection);
        for statement in statements {
            client.batch_execute(statement).await.expect(statement);
        }
    });
}
