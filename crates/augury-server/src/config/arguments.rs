//! From flags, variables and a file to settings.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use clap::{Arg, ArgAction, ArgMatches, Command};

use super::error::ConfigError;
use super::setting::{Field, Setting};
use super::table::{self, SETTINGS};
use super::{Settings, file};

const CONFIG: &str = "config";
const FILE: &str = "file";
const PREFIX: &str = "AUGURY_";
/// Variables that are other programs' of augury, or name what no setting is.
const OTHERS: &[&str] = &["AUGURY_CONFIG", "AUGURY_RECORD_SECRET"];

/// What the settings are, and what is to be said about them.
#[derive(Debug)]
pub struct Loaded {
    /// The settings.
    pub settings: Settings,
    /// What was understood and has no effect, or another than may be thought; for the log.
    pub notices: Vec<String>,
    /// The file that they come from in part.
    pub file: Option<PathBuf>,
}

/// The command line.
pub fn command() -> Command {
    let config = Arg::new(CONFIG).long(CONFIG).value_name("FILE").help("TOML, or a redis.conf");
    let file = Arg::new(FILE).value_name("FILE").help("As --config").conflicts_with(CONFIG);
    Command::new("augury-server")
        .version(env!("CARGO_PKG_VERSION"))
        .about("A cache for Redis and memcached clients that learns.")
        .after_help(
            "Every setting can also be given in the file, by its name, and as a variable: \
             AUGURY_MEMORY for --memory. Flags win over variables, variables over the file.",
        )
        .args_override_self(true)
        .arg(config)
        .arg(file)
        .args(SETTINGS.iter().map(flag))
}

fn flag(setting: &'static Setting) -> Arg {
    let is_many = matches!(setting.field, Field::Addresses(_) | Field::Rules(_))
        || setting.name == "client-output-buffer-limit";
    let is_repeated = matches!(setting.field, Field::Lines(_));
    let default = setting.show(&Settings::default());
    let shown = if default.is_empty() || setting.is_secret() {
        setting.summary.to_owned()
    } else {
        format!("{} [default: {default}]", setting.summary)
    };
    let mut arg = Arg::new(setting.name)
        .long(setting.name)
        .value_name(setting.value_name())
        .help(shown)
        .allow_negative_numbers(true)
        .action(if is_many || is_repeated { ArgAction::Append } else { ArgAction::Set });
    if is_many {
        arg = arg.num_args(1..);
    }
    if !setting.redis.is_empty() && setting.redis != setting.name {
        arg = arg.alias(setting.redis);
    }
    arg
}

/// Settings from arguments, the program's name first, and the environment.
///
/// # Errors
/// A flag, a variable or the file has a setting that there is not, or a value that it does not have.
pub fn load(
    arguments: impl IntoIterator<Item = impl Into<OsString> + Clone>,
    environment: impl IntoIterator<Item = (OsString, OsString)>,
) -> Result<Loaded, ConfigError> {
    let given = command()
        .try_get_matches_from(arguments)
        .map_err(|error| ConfigError::Usage(Box::new(error)))?;
    let environment: Vec<(String, String)> = environment
        .into_iter()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect();
    let variable = |name: &str| environment.iter().find(|it| it.0 == name).map(|it| it.1.as_str());
    let mut loaded = Loaded { settings: Settings::default(), notices: Vec::new(), file: None };
    // systemd's StateDirectory=.
    if let Some(folder) = variable("STATE_DIRECTORY") {
        loaded.settings.dir = folder.split(':').next().unwrap_or_default().into();
    }
    let flagged = given.get_one::<String>(CONFIG).or_else(|| given.get_one::<String>(FILE));
    let path = flagged.map(String::as_str).or_else(|| variable("AUGURY_CONFIG"));
    if let Some(path) = path.filter(|path| !path.is_empty()) {
        loaded.file = Some(PathBuf::from(path));
        file::read(Path::new(path), &mut loaded)?;
    }
    read_variables(&environment, &mut loaded)?;
    read_flags(&given, &mut loaded.settings)?;
    Ok(loaded)
}

fn read_variables(
    environment: &[(String, String)],
    loaded: &mut Loaded,
) -> Result<(), ConfigError> {
    for (name, value) in environment {
        let Some(rest) = name.strip_prefix(PREFIX) else { continue };
        if OTHERS.contains(&name.as_str()) {
            continue;
        }
        let Some(setting) = SETTINGS.iter().find(|it| it.variable() == *name) else {
            // Other programs, and Kubernetes for a service of this name, set such variables too.
            let meant = table::nearest(rest).and_then(table::find);
            let meant =
                meant.map_or_else(String::new, |it| format!(": is {} meant?", it.variable()));
            loaded.notices.push(format!("{name} is no setting and is left alone{meant}"));
            continue;
        };
        if value.starts_with("tcp://")
            && matches!(setting.field, Field::Port(_) | Field::MaybePort(_))
        {
            loaded.notices.push(format!("{name} is left alone: Kubernetes sets it for a service"));
            continue;
        }
        apply(setting, &mut loaded.settings, value, name)?;
    }
    Ok(())
}

fn read_flags(given: &ArgMatches, settings: &mut Settings) -> Result<(), ConfigError> {
    for setting in SETTINGS {
        let Some(values) = given.get_many::<String>(setting.name) else { continue };
        let flag = format!("--{}", setting.name);
        if let Field::Lines(_) = setting.field {
            for value in values {
                apply(setting, settings, value, &flag)?;
            }
        } else {
            let text = values.map(String::as_str).collect::<Vec<_>>().join(" ");
            apply(setting, settings, &text, &flag)?;
        }
    }
    Ok(())
}

/// Sets a value, or says where it came from and what is wrong with it.
pub(super) fn apply(
    setting: &Setting,
    settings: &mut Settings,
    text: &str,
    origin: &str,
) -> Result<(), ConfigError> {
    setting.read(settings, text).map_err(|reason| ConfigError::Value {
        origin: origin.to_owned(),
        reason: if setting.is_secret() { "the value is not accepted".to_owned() } else { reason },
    })
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn with(arguments: &[&str], environment: &[(&str, &str)]) -> Result<Loaded, ConfigError> {
        let arguments = [&["augury-server"], arguments].concat();
        load(arguments, environment.iter().map(|&(name, value)| (name.into(), value.into())))
    }

    fn file(suffix: &str, text: &str) -> tempfile::NamedTempFile {
        let mut file = tempfile::Builder::new().suffix(suffix).tempfile().expect("a folder");
        file.write_all(text.as_bytes()).expect("room");
        file
    }

    #[test]
    fn later_wins() {
        let toml = file(".toml", "memory = \"1gb\"\nthreads = 3\nport = 7\n");
        let path = toml.path().to_str().expect("it is text");
        let environment = [("AUGURY_MEMORY", "2gb"), ("AUGURY_THREADS", "4")];
        let loaded = with(&["--config", path, "--threads", "5"], &environment).expect("valid");
        let settings = loaded.settings;
        assert_eq!((2 << 30, 5, 7), (settings.memory, settings.threads, settings.port));
    }

    #[test]
    fn errors_name_place_value_and_way_out() {
        let toml = file(".toml", "port = 1\nmemroy = \"1gb\"\n");
        let path = toml.path().to_str().expect("it is text");
        for (arguments, environment, parts) in [
            (&["--memory", "50%"][..], &[][..], &["--memory", "50%", "64mb"][..]),
            (&["--policy", "lrruu"], &[], &["--policy", "lrruu", "s3fifo"]),
            (&[], &[("AUGURY_PORT", "x")], &["AUGURY_PORT", "\"x\"", "65535"]),
            (&["--config", path], &[], &["line 2", "memroy", "did you mean memory?"]),
            (&["--memroy", "1"], &[], &["--memroy", "--memory"]),
            (&["--config", "/nowhere"], &[], &["/nowhere"]),
            (&["--threads", "0"], &[], &["--threads", "from 1 to 128"]),
        ] {
            let error = with(arguments, environment).expect_err("it is wrong").to_string();
            assert!(parts.iter().all(|part| error.contains(part)), "{error}");
        }
    }

    #[test]
    fn what_kubernetes_sets_is_left_alone() {
        let environment =
            [("AUGURY_PORT", "tcp://10.0.0.1:6379"), ("AUGURY_SERVICE_HOST", "10.0.0.1")];
        let loaded = with(&[], &environment).expect("nothing is wrong");
        assert_eq!((6379, 2), (loaded.settings.port, loaded.notices.len()));
    }

    #[test]
    fn flags_may_be_those_of_redis() {
        let arguments =
            ["--maxmemory", "2gb", "--save", "900", "1", "300", "10", "--bind", "127.0.0.1"];
        let settings = with(&arguments, &[]).expect("valid").settings;
        assert_eq!((2 << 30, 2), (settings.memory, settings.save.len()));
        assert!(with(&["--save", ""], &[]).expect("valid").settings.save.is_empty());
    }

    #[test]
    fn a_redis_conf_is_read_and_what_has_no_effect_is_named() {
        let conf = file(
            "",
            "# a comment\nport 7000\nmaxmemory 100mb\nmaxmemory-policy allkeys-lru\n\
             save 900 1\nsave 300 10\nrequirepass \"two words\"\nappendonly yes\nnosuch 1\n\
             user alice on >secret ~* +@all\ndatabases 4\nio-threads 2\n",
        );
        let path = conf.path().to_str().expect("it is text");
        let Loaded { settings, notices, .. } = with(&[path], &[]).expect("valid");
        assert_eq!((7000, 100 << 20, 2), (settings.port, settings.memory, settings.threads));
        assert_eq!((2, "two words"), (settings.save.len(), &*settings.password));
        assert_eq!(vec!["alice on >secret ~* +@all"], settings.users);
        let all = notices.join("\n");
        for part in ["line 4: maxmemory-policy", "line 8: appendonly", "line 9: nosuch"] {
            assert!(all.contains(part), "{all}");
        }
        assert_eq!(3, notices.len(), "{all}");
        let broken = file(".conf", "port 1\nmaxmemory lots\n");
        let error = with(&[broken.path().to_str().expect("it is text")], &[]).expect_err("wrong");
        assert!(error.to_string().contains("line 2: maxmemory: \"lots\""), "{error}");
    }
}
