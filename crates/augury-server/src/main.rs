//! The program `augury-server`.

use std::net::IpAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use augury_server::config::{ClientCertificates, OutputLimit, Settings, TlsSettings};
use augury_server::net;
use clap::Parser;

#[global_allocator]
static HEAP: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

/// A cache for Redis and memcached clients that learns.
#[derive(Parser)]
#[command(version, name = "augury-server")]
struct Arguments {
    /// Port for Redis clients; 0 lets the system choose.
    #[arg(long, default_value_t = 6379)]
    port: u16,
    /// Port for memcached clients; 0 lets the system choose. Without it they are not served.
    #[arg(long)]
    memcached_port: Option<u16>,
    /// Bytes that everything stored may take.
    #[arg(long, default_value_t = 64 << 20)]
    memory: u64,
    /// Threads that serve clients.
    #[arg(long, default_value_t = 1)]
    threads: usize,
    /// What decides who stays.
    #[arg(long, default_value = "auto")]
    policy: String,
    /// Addresses to listen on.
    #[arg(long, value_delimiter = ' ', default_value = "127.0.0.1")]
    bind: Vec<IpAddr>,
    /// Password of the default user.
    #[arg(long)]
    requirepass: Option<String>,
    /// File of users.
    #[arg(long)]
    aclfile: Option<PathBuf>,
    /// Whether only this host's clients are served while the default user needs no password.
    #[arg(long, default_value = "yes", action = clap::ArgAction::Set, value_parser = yes_or_no)]
    protected_mode: bool,
    /// Most clients at a time.
    #[arg(long, default_value_t = Settings::default().clients_max)]
    maxclients: usize,
    /// Seconds that a client may be idle; 0: for ever.
    #[arg(long, default_value_t = 0)]
    timeout: u64,
    /// Seconds in which a command has to come whole.
    #[arg(long, default_value_t = Settings::default().command_timeout.as_secs_f64())]
    command_timeout: f64,
    /// Seconds for the TLS handshake, and to authenticate where that is needed.
    #[arg(long, default_value_t = Settings::default().greeting_timeout.as_secs_f64())]
    greeting_timeout: f64,
    /// Bytes of answers that a client may leave unread.
    #[arg(long, default_value_t = Settings::default().output_normal.hard)]
    output_limit: usize,
    /// Port for Redis clients over TLS.
    #[arg(long, requires = "tls_cert_file", requires = "tls_key_file")]
    tls_port: Option<u16>,
    /// The server's certificate.
    #[arg(long)]
    tls_cert_file: Option<PathBuf>,
    /// Its key.
    #[arg(long)]
    tls_key_file: Option<PathBuf>,
    /// Certificates of the authorities for clients' certificates.
    #[arg(long)]
    tls_ca_cert_file: Option<PathBuf>,
    /// Whether clients need a certificate: no, optional or yes.
    #[arg(long, default_value = "yes", value_parser = client_certificates)]
    tls_auth_clients: ClientCertificates,
}

fn yes_or_no(text: &str) -> Result<bool, String> {
    match text {
        "yes" => Ok(true),
        "no" => Ok(false),
        _ => Err(format!("{text:?} is neither yes nor no")),
    }
}

fn client_certificates(text: &str) -> Result<ClientCertificates, String> {
    match text {
        "no" => Ok(ClientCertificates::No),
        "optional" => Ok(ClientCertificates::Optional),
        "yes" => Ok(ClientCertificates::Yes),
        _ => Err(format!("{text:?} is none of no, optional, yes")),
    }
}

impl Arguments {
    fn settings(self) -> Result<Settings, Box<dyn std::error::Error>> {
        let tls = match (self.tls_port, self.tls_cert_file, self.tls_key_file) {
            (Some(port), Some(cert), Some(key)) => {
                let (ca, auth_clients) = (self.tls_ca_cert_file, self.tls_auth_clients);
                Some(TlsSettings { port, cert, key, ca, auth_clients })
            }
            _ => None,
        };
        let defaults = Settings::default();
        let output_normal = OutputLimit { hard: self.output_limit, ..defaults.output_normal };
        Ok(Settings {
            port: self.port,
            memory: self.memory,
            threads: self.threads,
            policy: self.policy.parse()?,
            bind: self.bind,
            requirepass: self.requirepass,
            acl_file: self.aclfile,
            protected_mode: self.protected_mode,
            clients_max: self.maxclients,
            idle_timeout: (self.timeout > 0).then(|| Duration::from_secs(self.timeout)),
            command_timeout: Duration::try_from_secs_f64(self.command_timeout)?,
            greeting_timeout: Duration::try_from_secs_f64(self.greeting_timeout)?,
            output_normal,
            tls,
            ..defaults
        })
    }
}

fn run(arguments: Arguments) -> Result<(), Box<dyn std::error::Error>> {
    let running = net::listen(arguments.settings()?)?.start()?;
    for (name, address) in running.addresses() {
        println!("ready for {name} on {address}");
    }
    running.wait()?;
    Ok(())
}

fn main() -> ExitCode {
    match run(Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("augury-server: {error}");
            ExitCode::FAILURE
        }
    }
}
