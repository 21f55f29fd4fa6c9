//! Checks on this board what rkchat assumes about Rockchip's library, with any small model, and prints a
//! report to post: `board RUNTIME MODEL [--abi RELEASE] [--save] [--risky]`.
//!
//! `--save` keeps what was measured: from then on `Model.open` goes by it. `--risky` also opens two
//! models at once, in a process of its own, which some releases answer with a crash or not at all.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode};
use std::time::{Duration, Instant};

use rkchat::vendor::board::{self, Verdict};
use rkchat::vendor::measured;

/// How long two models may take to open.
const PATIENCE: Duration = Duration::from_secs(300);

struct Arguments {
    runtime: PathBuf,
    model: PathBuf,
    abi: Option<String>,
    save: bool,
    risky: bool,
    /// This is the process that may be lost.
    second: bool,
}

fn main() -> Result<ExitCode, Box<dyn std::error::Error>> {
    let arguments = match parse(lexopt::Parser::from_env()) {
        Ok(arguments) => arguments,
        Err(error) => {
            eprintln!("{error}\nusage: RUNTIME MODEL [--abi RELEASE] [--save] [--risky]");
            return Ok(ExitCode::from(2));
        }
    };
    let (runtime, model) = (&arguments.runtime, &arguments.model);
    let abi = arguments.abi.as_deref();
    if arguments.second {
        let finding = board::check_second_model(runtime, abi, model)?;
        println!("{}", finding.seen);
        return Ok(match finding.verdict {
            Verdict::Holds => ExitCode::SUCCESS,
            _ => ExitCode::FAILURE,
        });
    }
    let report = board::check(runtime, abi, model)?;
    print!("{report}");
    if arguments.risky {
        println!("\ntwo models at once: {}", second(runtime, model, abi)?);
    }
    if arguments.save {
        let file = measured::save(&report)?;
        println!("\nkept in {}", file.display());
    }
    let broken = report
        .findings
        .iter()
        .any(|finding| finding.verdict == Verdict::Broken);
    Ok(ExitCode::from(u8::from(broken)))
}

fn parse(mut parser: lexopt::Parser) -> Result<Arguments, lexopt::Error> {
    use lexopt::prelude::*;

    let mut paths: Vec<PathBuf> = Vec::new();
    let (mut abi, mut save, mut risky, mut second) = (None, false, false, false);
    while let Some(argument) = parser.next()? {
        match argument {
            Long("abi") => abi = Some(parser.value()?.string()?),
            Long("save") => save = true,
            Long("risky") => risky = true,
            Long("second") => second = true,
            Value(path) if paths.len() < 2 => paths.push(path.into()),
            other => return Err(other.unexpected()),
        }
    }
    let mut paths = paths.into_iter();
    let (Some(runtime), Some(model)) = (paths.next(), paths.next()) else {
        return Err("the runtime and the model are needed".into());
    };
    Ok(Arguments {
        runtime,
        model,
        abi,
        save,
        risky,
        second,
    })
}

/// What becomes of a process that opens the model twice.
fn second(runtime: &Path, model: &Path, abi: Option<&str>) -> std::io::Result<String> {
    let mut command = Command::new(std::env::current_exe()?);
    command.arg(runtime).arg(model).arg("--second");
    if let Some(abi) = abi {
        command.args(["--abi", abi]);
    }
    let mut child = command.spawn()?;
    Ok(match wait(&mut child)? {
        Some(status) if status.success() => "as assumed".to_owned(),
        Some(status) => format!(
            "not as assumed ({status}); the option assume, {{\"instances\": \"many\"}}, allows it"
        ),
        None => "it hung and was ended".to_owned(),
    })
}

fn wait(child: &mut Child) -> std::io::Result<Option<std::process::ExitStatus>> {
    let end = Instant::now() + PATIENCE;
    while Instant::now() < end {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    child.kill()?;
    child.wait()?;
    Ok(None)
}
