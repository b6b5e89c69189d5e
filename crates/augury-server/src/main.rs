//! The program `augury-server`.

use std::process::ExitCode;

use augury_server::program;

#[global_allocator]
static HEAP: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    program::serve(std::env::args_os()).into()
}
