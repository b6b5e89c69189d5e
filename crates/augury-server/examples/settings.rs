//! Prints docs/settings.md.

fn main() {
    print!("{}", augury_server::config::table::page());
}
