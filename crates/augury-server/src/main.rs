//! The program `augury-server`.

use std::process::ExitCode;

use augury_server::config::Settings;
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
}

fn run(arguments: Arguments) -> Result<(), Box<dyn std::error::Error>> {
    let Arguments { port, memcached_port, memory, threads, policy } = arguments;
    let policy = policy.parse()?;
    let settings =
        Settings { port, memcached_port, memory, threads, policy, ..Settings::default() };
    let running = net::listen(settings)?.start()?;
    for (dialect, address) in running.addresses() {
        println!("ready for {} on {address}", dialect.name());
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
