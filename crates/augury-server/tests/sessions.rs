//! What clients have to do with each other: transactions, tracking, subscriptions. No sockets: a
//! client is a seat, and a command is run as a worker would.

use augury_server::client::Place;
use augury_server::commands::dispatch;
use augury_server::config::Settings;
use augury_server::notices;
use augury_server::object::Object;
use augury_server::resp::Arguments;
use augury_server::server::Server;

struct World {
    server: Server,
    seats: usize,
}

impl World {
    fn new(settings: Settings) -> World {
        World { server: Server::new(settings), seats: 0 }
    }

    /// A client with this version of the protocol; its seat.
    fn client(&mut self, protocol: u8) -> usize {
        self.seats += 1;
        let place = Place { worker: 0, connection: self.seats };
        let seat = self.server.seat(place, format!("127.0.0.1:{}", self.seats), String::new());
        if protocol == 3 {
            self.say(seat, "HELLO 3");
        }
        seat
    }

    /// What a client gets for a command, its words parted by spaces, and behind it.
    fn say(&mut self, seat: usize, command: &str) -> String {
        let (mut bytes, mut ranges) = (Vec::new(), Vec::new());
        for word in command.split(' ') {
            ranges.push(bytes.len()..bytes.len() + word.len());
            bytes.extend_from_slice(word.as_bytes());
        }
        let mut client = self.server.take_client(seat).expect("the client is in its seat");
        let mut out = std::mem::take(&mut client.outbox);
        let arguments = Arguments::new(&bytes, &ranges);
        dispatch::run(&mut self.server, &mut client, arguments, &mut out);
        self.server.put_client(seat, client);
        text(out)
    }

    /// What others have sent a client since it was last asked.
    fn pushed(&mut self, seat: usize) -> String {
        let mut client = self.server.take_client(seat).expect("the client is in its seat");
        let out = std::mem::take(&mut client.outbox);
        self.server.put_client(seat, client);
        text(out)
    }

    /// Stores a string with a deadline, as nobody's command.
    fn store(&mut self, key: &str, deadline: Option<u64>) {
        let keyspace = &mut self.server.keyspace;
        let asked = keyspace.asked(0, key.as_bytes());
        let id = keyspace.find(asked, self.server.now);
        keyspace.put(asked.hash, Object::text(0, key.as_bytes(), b"value"), deadline, id);
        notices::tell(&mut self.server, None);
    }

    fn flush(&mut self) {
        self.server.keyspace.flush(None);
        notices::tell(&mut self.server, None);
    }
}

fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).expect("answers of these tests are text")
}

fn invalidate(key: &str) -> String {
    format!(">2\r\n$10\r\ninvalidate\r\n*1\r\n${}\r\n{key}\r\n", key.len())
}

const FORGET_ALL: &str = ">2\r\n$10\r\ninvalidate\r\n_\r\n";

/// EXEC of one PING behind a WATCH, after `meanwhile`.
fn exec_after(
    watched: &str,
    before: impl FnOnce(&mut World),
    meanwhile: impl FnOnce(&mut World),
) -> String {
    let mut world = World::new(Settings::default());
    let client = world.client(2);
    before(&mut world);
    world.say(client, &format!("WATCH {watched}"));
    meanwhile(&mut world);
    world.say(client, "MULTI");
    world.say(client, "PING");
    world.say(client, "EXEC")
}

const RAN: &str = "*1\r\n+PONG\r\n";
const NULL: &str = "*-1\r\n";

#[test]
fn a_flush_breaks_the_watch_of_what_was_there() {
    assert_eq!(NULL, exec_after("a", |world| world.store("a", None), World::flush));
    assert_eq!(RAN, exec_after("b", |world| world.store("a", None), World::flush));
}

#[test]
fn expiry_breaks_a_watch_unless_it_came_before() {
    let store = |world: &mut World| world.store("a", Some(world.server.now + 10));
    // Noticed by EXEC itself, and by the beat.
    assert_eq!(NULL, exec_after("a", store, |world| world.server.now += 10));
    let expire = |world: &mut World| {
        world.server.now += 10;
        assert_eq!(1, world.server.keyspace.expire(world.server.now, 9));
        notices::tell(&mut world.server, None);
    };
    assert_eq!(NULL, exec_after("a", store, expire));
    let store_and_wait = |world: &mut World| {
        world.store("a", Some(world.server.now + 10));
        world.server.now += 10;
    };
    assert_eq!(RAN, exec_after("a", store_and_wait, |_| ()));
}

#[test]
fn eviction_breaks_a_watch() {
    let evict = |world: &mut World| {
        world.server.keyspace.resize(1);
        notices::tell(&mut world.server, None);
    };
    assert_eq!(NULL, exec_after("a", |world| world.store("a", None), evict));
    assert_eq!(RAN, exec_after("b", |world| world.store("a", None), evict));
}

#[test]
fn a_caching_client_is_told_of_every_way_in_which_a_key_can_change() {
    let mut world = World::new(Settings::default());
    let (reader, writer) = (world.client(3), world.client(2));
    world.say(reader, "CLIENT TRACKING ON");
    let read = |world: &mut World| {
        world.store("k", Some(world.server.now + 100));
        assert_eq!("$5\r\nvalue\r\n", world.say(reader, "GET k"));
        assert_eq!("", world.pushed(reader));
    };
    read(&mut world);
    world.say(writer, "SET k 1");
    assert_eq!(invalidate("k"), world.pushed(reader));
    world.say(writer, "SET k 2");
    assert_eq!("", world.pushed(reader), "it was told once and has not read since");
    read(&mut world);
    world.flush();
    assert_eq!(FORGET_ALL, world.pushed(reader));
    read(&mut world);
    world.server.now += 100;
    world.server.keyspace.expire(world.server.now, 9);
    notices::tell(&mut world.server, None);
    assert_eq!(invalidate("k"), world.pushed(reader));
    read(&mut world);
    let before = world.server.keyspace.capacity();
    world.server.keyspace.resize(1);
    notices::tell(&mut world.server, None);
    assert_eq!(invalidate("k"), world.pushed(reader));
    world.server.keyspace.resize(before);
    read(&mut world);
    world.server.now += 100;
    assert_eq!(
        "_\r\n".to_owned() + &invalidate("k"),
        world.say(reader, "GET k"),
        "its own read finds the key expired"
    );
}

#[test]
fn what_a_client_is_told_stands_behind_the_answer_that_it_makes_stale() {
    let mut world = World::new(Settings::default());
    let (reader, writer) = (world.client(3), world.client(3));
    world.say(reader, "CLIENT TRACKING ON");
    world.say(writer, "SET k 1");
    let mut seen = world.say(reader, "GET k");
    world.say(writer, "SET k 2");
    seen += &world.say(reader, "GET k");
    seen += &world.say(reader, "SET k 3");
    assert_eq!(format!("$1\r\n1\r\n{0}$1\r\n2\r\n+OK\r\n{0}", invalidate("k")), seen);
}

#[test]
fn keys_beyond_the_limit_are_told_of_and_forgotten() {
    let mut world = World::new(Settings { tracking_max: 3, ..Settings::default() });
    let reader = world.client(3);
    world.say(reader, "CLIENT TRACKING ON");
    let mut told = 0;
    for key in 0..10 {
        told += world.say(reader, &format!("GET k{key}")).matches("invalidate").count();
        assert!(world.server.tracking.counts().0 <= 3);
    }
    assert_eq!(10 - 3, told);
}

#[test]
fn broadcast_tells_of_all_changes_of_a_command_at_once_and_not_of_ones_own_with_noloop() {
    let mut world = World::new(Settings::default());
    let (all, some, writer) = (world.client(3), world.client(3), world.client(2));
    world.say(all, "CLIENT TRACKING ON BCAST");
    world.say(some, "CLIENT TRACKING ON BCAST PREFIX a: NOLOOP");
    for command in ["MULTI", "SET a:1 x", "SET b:1 x", "SET a:1 y", "EXEC"] {
        world.say(writer, command);
    }
    let both = ">2\r\n$10\r\ninvalidate\r\n*2\r\n$3\r\na:1\r\n$3\r\nb:1\r\n";
    assert_eq!((both.to_owned(), invalidate("a:1")), (world.pushed(all), world.pushed(some)));
    assert_eq!("+OK\r\n", world.say(some, "SET a:2 x"));
    assert_eq!(invalidate("a:2"), world.pushed(all));
    // A message for each prefix, as Redis has it.
    world.say(some, "CLIENT TRACKING ON BCAST PREFIX b:");
    for command in ["MULTI", "SET b:1 x", "SET a:1 x", "EXEC"] {
        world.say(writer, command);
    }
    assert_eq!(invalidate("a:1") + &invalidate("b:1"), world.pushed(some));
}

#[test]
fn a_redirection_tells_the_other_and_a_broken_one_tells_of_it() {
    let mut world = World::new(Settings::default());
    let (reader, other, writer) = (world.client(3), world.client(2), world.client(2));
    let id = world.say(other, "CLIENT ID").trim()[1..].to_owned();
    world.say(other, "SUBSCRIBE __redis__:invalidate");
    world.say(reader, &format!("CLIENT TRACKING ON REDIRECT {id}"));
    world.say(reader, "GET k");
    world.say(writer, "SET k 1");
    let message = "*3\r\n$7\r\nmessage\r\n$20\r\n__redis__:invalidate\r\n*1\r\n$1\r\nk\r\n";
    assert_eq!((message.to_owned(), String::new()), (world.pushed(other), world.pushed(reader)));
    world.server.unseat(other);
    world.say(reader, "GET k");
    world.say(writer, "SET k 2");
    assert_eq!(format!(">2\r\n$21\r\ntracking-redir-broken\r\n:{id}\r\n"), world.pushed(reader));
}

#[test]
fn who_leaves_is_waited_for_by_nobody() {
    let mut world = World::new(Settings::default());
    let client = world.client(3);
    for command in [
        "SUBSCRIBE a b",
        "PSUBSCRIBE p*",
        "SSUBSCRIBE s",
        "WATCH k",
        "CLIENT TRACKING ON BCAST PREFIX x",
        "MONITOR",
    ] {
        world.say(client, command);
    }
    assert_eq!((2, 1, 1), world.server.pubsub.counts());
    world.server.unseat(client);
    assert_eq!((0, 0, 0), world.server.pubsub.counts());
    assert!(world.server.watchers.is_empty() && world.server.monitors.is_empty());
    assert_eq!(
        ((0, 0, 0), false),
        (world.server.tracking.counts(), world.server.tracking.has_clients())
    );
    world.store("k", None);
    assert!(!world.server.keyspace.has_changes(), "nobody watches: nothing is kept");
}

#[test]
fn a_client_that_does_not_touch_leaves_no_trace() {
    let mut world = World::new(Settings::default());
    let client = world.client(2);
    world.store("k", None);
    world.say(client, "CLIENT NO-TOUCH ON");
    assert_eq!("$5\r\nvalue\r\n", world.say(client, "GET k"));
    assert_eq!(0, world.server.keyspace.stats().requests());
    world.say(client, "CLIENT NO-TOUCH OFF");
    world.say(client, "GET k");
    assert_eq!(1, world.server.keyspace.stats().requests());
}

#[test]
fn a_pause_holds_writes_back_until_it_ends() {
    let mut world = World::new(Settings::default());
    let (client, other) = (world.client(2), world.client(2));
    world.say(client, "CLIENT PAUSE 1000 WRITE");
    assert_eq!(("", "$-1\r\n"), (&*world.say(other, "SET k 1"), &*world.say(other, "GET k")));
    world.server.now += 1_000;
    world.server.beat();
    assert_eq!(1, world.server.take_wakes().len());
    assert_eq!("+OK\r\n", world.say(other, "SET k 1"));
}

#[test]
fn slow_commands_are_logged_without_their_secrets() {
    let settings = Settings { slowlog_slower_than: 0, slowlog_max: 2, ..Settings::default() };
    let mut world = World::new(settings);
    let client = world.client(2);
    for command in ["SET a 1", "HELLO 2 AUTH default secret", &format!("ECHO {}", "x".repeat(130))]
    {
        world.say(client, command);
    }
    let entries = world.server.slowlog.entries();
    let shown = entries.iter().map(|entry| {
        let arguments = entry.arguments.iter().map(|it| String::from_utf8_lossy(it));
        (entry.id, arguments.collect::<Vec<_>>().join(" "))
    });
    let long = format!("ECHO {}... (2 more bytes)", "x".repeat(128));
    let expected = [(2, long), (1, "HELLO 2 AUTH (redacted) (redacted)".to_owned())];
    assert_eq!(expected.to_vec(), shown.collect::<Vec<_>>());
    world.server.slowlog.set_threshold(-1);
    world.say(client, "SET a 2");
    assert_eq!(":2\r\n", world.say(client, "SLOWLOG LEN"));
}
