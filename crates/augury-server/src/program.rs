//! From arguments to a server that runs, and its end: what `augury-server` and `augury serve` are.

use std::error::Error;
use std::ffi::OsString;
use std::io::{self, Write};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use sd_notify::NotifyState;
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use tracing::{debug, error, info, warn};

use crate::config::{self, ConfigError, Loaded};
use crate::http;
use crate::keyspace::Keyspace;
use crate::logging;
use crate::memory::Control;
use crate::net::{self, Running};
use crate::server::{Ending, Shared};
use crate::snapshot::{self, Keeper, Order, restore};
use crate::upstream::Upstream;
use crate::upstream::origin::{self, Loader, Orders};

/// It has done what it was asked for.
pub const DONE: u8 = 0;
/// It has failed.
pub const FAILED: u8 = 1;
/// It was asked for wrongly.
pub const USAGE: u8 = 2;

/// How often it is looked whether the workers are still there.
const LOOK: Duration = Duration::from_secs(1);

/// Serves as the arguments say, the program's name first, until a signal or SHUTDOWN; the exit status.
pub fn serve(arguments: impl IntoIterator<Item = OsString>) -> u8 {
    let loaded = match config::load(arguments, std::env::vars_os()) {
        Ok(loaded) => loaded,
        Err(ConfigError::Usage(error)) => {
            // Help goes to standard output; where that is closed nobody reads it.
            let _ = error.print();
            return if error.use_stderr() { USAGE } else { DONE };
        }
        Err(error) => {
            eprintln!("error: {error}");
            return USAGE;
        }
    };
    match run(loaded) {
        Ok(()) => DONE,
        Err(error) => {
            eprintln!("error: {error}");
            FAILED
        }
    }
}

fn run(loaded: Loaded) -> Result<(), Box<dyn Error>> {
    let Loaded { settings, notices, file } = loaded;
    logging::begin(&settings)?;
    for notice in notices {
        warn!("{notice}");
    }
    let upstream = settings.upstream()?;
    let path = settings.keeps_snapshots().then(|| settings.snapshot_path());
    let (bind, http_port) = (settings.bind.clone(), settings.http_port);
    let listening = net::listen(settings)?;
    let shared = listening.shared().clone();
    let (ender, endings) = mpsc::channel();
    {
        let mut server = shared.lock();
        server.config_file = file;
        server.set_ender(ender.clone());
    }
    watch_signals(ender)?;
    let http = http_port.map(|port| http::of_server(&bind, port, shared.clone())).transpose()?;
    // What there is before any entry comes, those of a snapshot too.
    shared.lock().measure();
    if let Some(path) = &path {
        load(&shared, path.clone());
    }
    let orders = upstream.as_ref().map(|upstream| read_through(&shared, upstream));
    let control = Control::start(shared.clone())?;
    let running = listening.start()?;
    let loader = match upstream.as_ref().zip(orders) {
        Some((upstream, orders)) => {
            let settings = shared.lock().settings.clone();
            let post = running.post();
            Some(Loader::start(upstream, &settings, orders, shared.clone(), post)?)
        }
        None => None,
    };
    let keeper = Keeper::start(shared.clone(), running.post())?;
    if let Some((_, readiness)) = &http {
        readiness.set(true);
    }
    for &(protocol, address) in running.addresses() {
        announce(protocol, &[address]);
    }
    announce("http", http.as_ref().map_or(&[], |(http, _)| http.addresses()));
    tell_manager(NotifyState::Ready);
    let ending = wait(&endings, &running);
    tell_manager(NotifyState::Stopping);
    if let Some((_, readiness)) = &http {
        readiness.set(false);
    }
    running.stop();
    keeper.end();
    control.end();
    let ended = running.wait();
    if let Some(loader) = loader {
        loader.end();
    }
    let saved = save(&shared, ending);
    if let Some((http, _)) = http {
        http.end();
    }
    ended?;
    saved
}

/// From now on database 0 is read through; the loads that are ordered.
fn read_through(shared: &Shared, upstream: &config::Upstream) -> Orders {
    let (outlet, orders) = origin::channel();
    let mut server = shared.lock();
    let name = upstream.shown();
    info!(upstream = name, "what database 0 does not have is loaded from there");
    let order = move |order| {
        // Where nobody takes orders any more the server ends.
        let _ = outlet.send(order);
    };
    server.upstream = Some(Box::new(Upstream::new(name, &server.settings, order)));
    orders
}

/// Fills the databases from the snapshot. A damaged one is kept beside its name, and the server
/// begins empty.
fn load(shared: &Shared, path: PathBuf) {
    let begin = Instant::now();
    let mut server = shared.lock();
    let (now, policy) = (server.now, server.settings.policy);
    let name = path.display();
    match restore(&path, &mut server.keyspace, policy.name(), now) {
        Ok(None) => info!(path = %name, "there is no snapshot yet"),
        Ok(Some(restored)) => info!(
            path = %name,
            entries = restored.entries,
            left_out = restored.left_out,
            has_learned = restored.has_learned,
            millis = begin.elapsed().as_millis() as u64,
            "a snapshot is restored"
        ),
        Err(refusal) => {
            server.keyspace = Keyspace::new(server.plan());
            let simulates = server.settings.simulate;
            server.keyspace.simulate(simulates);
            server.settle_watch();
            match snapshot::set_aside(&path) {
                Ok(aside) => error!(
                    path = %name, aside = %aside.display(), error = %refusal,
                    "the snapshot is refused and kept aside; the server begins empty"
                ),
                Err(error) => error!(
                    path = %name, %error, refusal = %refusal,
                    "the snapshot is refused and cannot be kept aside; the server begins empty"
                ),
            }
        }
    }
    let dirty = server.keyspace.dirty();
    server.snapshots.dirty_before = dirty;
}

/// Writes the last snapshot, if there is to be one.
fn save(shared: &Shared, ending: Ending) -> Result<(), Box<dyn Error>> {
    let (path, is_kept) = {
        let server = shared.lock();
        (server.settings.snapshot_path(), server.settings.keeps_snapshots())
    };
    if !ending.saves.unwrap_or(is_kept) {
        return Ok(());
    }
    let begin = Instant::now();
    let written = snapshot::write(shared, &path, Order::Leaving, || false);
    snapshot::report(&written, &path, begin);
    written.map(|_| ()).map_err(|error| {
        format!("the snapshot {} could not be written: {error}", path.display()).into()
    })
}

/// The first signal ends the server, a second one the process.
fn watch_signals(ender: mpsc::Sender<Ending>) -> io::Result<()> {
    let mut signals = Signals::new([SIGINT, SIGTERM])?;
    let thread = std::thread::Builder::new().name("augury-signals".to_owned());
    thread.spawn(move || {
        let mut is_second = false;
        for signal in signals.forever() {
            if is_second {
                signal_hook::low_level::exit(128 + signal);
            }
            is_second = true;
            info!(signal, "the server ends; another signal ends it at once");
            // Where nobody listens any more it ends already.
            let _ = ender.send(Ending::default());
        }
    })?;
    Ok(())
}

/// Until somebody wants the server to end, or a worker has.
fn wait(endings: &Receiver<Ending>, running: &Running) -> Ending {
    loop {
        match endings.recv_timeout(LOOK) {
            Ok(ending) => return ending,
            Err(RecvTimeoutError::Timeout) if !running.has_ended() => {}
            Err(_) => return Ending::default(),
        }
    }
}

/// Says on standard output where clients are served.
fn announce(protocol: &str, addresses: &[SocketAddr]) {
    let mut out = io::stdout().lock();
    for address in addresses {
        // Where nobody reads it there is nobody to tell.
        let _ = writeln!(out, "ready for {protocol} on {address}");
    }
    let _ = out.flush();
}

fn tell_manager(state: NotifyState<'_>) {
    if let Err(error) = sd_notify::notify(&[state]) {
        debug!(%error, "the service manager cannot be told");
    }
}
