//! The program `augury-server`.

use std::process::ExitCode;

use augury_server::config::Settings;
use augury_server::net;

#[global_allocator]
static HEAP: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    let mut settings = Settings::default();
    let mut args = std::env::args().skip(1);
    while let (Some(name), Some(value)) = (args.next(), args.next()) {
        match name.as_str() {
            "--port" => settings.port = value.parse().expect("port"),
            "--memory" => settings.memory = value.parse().expect("bytes"),
            "--threads" => settings.threads = value.parse().expect("threads"),
            "--policy" => settings.policy = value.parse().expect("policy"),
            _ => return ExitCode::from(2),
        }
    }
    let run = || net::listen(settings)?.start()?.wait();
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("augury-server: {error}");
            ExitCode::FAILURE
        }
    }
}
