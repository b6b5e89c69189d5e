//! Prints docs/commands.md.

fn main() {
    print!("{}", augury_server::commands::page::page());
}
