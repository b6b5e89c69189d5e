//! Trained models: read from files in the server's folder, kept by name until one is used.
//!
//! Their bytes come from whoever may write the folder: nothing of them is believed (the core's
//! `artifact` checks everything) and none is ever run. Which file is read a client says, so only files
//! that are really below the folder are, links followed.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use augury_core::artifact::{Artifact, ArtifactError};
use augury_core::model::predictor::{Meaning, Predictor};

/// Models that are kept: a new one takes the place of the one loaded longest ago that is not in use.
pub const MODELS_MAX: usize = 8;
/// Longest file: while it is read and checked all clients wait.
pub const FILE_MAX: u64 = 16 << 20;
/// Steps that a decision may take, about a nanosecond each: as for caches of the library.
const BUDGET: u64 = 24_000;
/// Longest name.
const NAME_MAX: usize = 64;

/// Why a model is not loaded or not used.
#[derive(Debug, thiserror::Error)]
pub enum ModelError {
    /// There is no folder to read from.
    #[error("models are read from the server's folder, and it has none: start it with --dir")]
    NoFolder,
    /// The path leads, or may lead, out of the folder.
    #[error(
        "'{0}' is not a path below the server's folder: name a file in it, as models/web.model"
    )]
    Outside(String),
    /// The file cannot be read.
    #[error("'{path}' cannot be read: {why}")]
    File {
        /// As it was given.
        path: String,
        /// What the system says.
        why: io::Error,
    },
    /// It is too long.
    #[error("'{path}' has {bytes} bytes, {FILE_MAX} are read at most: train a smaller model")]
    TooLarge {
        /// As it was given.
        path: String,
        /// What it has.
        bytes: u64,
    },
    /// It is no model that can serve.
    #[error("'{path}': {why}")]
    Artifact {
        /// As it was given.
        path: String,
        /// What is wrong with it.
        why: ArtifactError,
    },
    /// Its file has no name to call it by.
    #[error(
        "the file of '{0}' is no name for a model: 1 to {NAME_MAX} letters, digits, . _ -, not NONE"
    )]
    Name(String),
    /// There is none of this name.
    #[error("no model '{0}' is loaded: AUGURY.MODEL LIST shows which are, LOAD loads one")]
    Unknown(String),
}

/// A model.
#[derive(Debug, Clone)]
pub struct Model {
    /// Its file's name, without what follows the last dot.
    pub name: String,
    /// SHA-256 of its content.
    pub hash: String,
    /// What its answers are.
    pub meaning: &'static str,
    /// Requests that a probability speaks of.
    pub horizon: Option<f64>,
    /// What the policy asks.
    pub predictor: Arc<Predictor>,
}

/// See the module's head.
#[derive(Debug, Default)]
pub struct Models {
    /// In the order in which they were loaded.
    loaded: Vec<Model>,
    serving: Option<Model>,
}

impl Models {
    /// All that are loaded.
    pub fn all(&self) -> &[Model] {
        &self.loaded
    }

    /// The one in use.
    pub fn serving(&self) -> Option<&Model> {
        self.serving.as_ref()
    }

    /// Loads a model from a file below the folder; its name. One of the same name is replaced, but goes
    /// on serving where it does.
    ///
    /// # Errors
    /// The path leads elsewhere, or the file is no model that can serve.
    pub fn load(&mut self, folder: &Path, path: &str) -> Result<String, ModelError> {
        let file = below(folder, path)?;
        let name = name_of(&file).ok_or_else(|| ModelError::Name(path.to_owned()))?;
        let bytes = read(&file, path)?;
        let wrong = |why| ModelError::Artifact { path: path.to_owned(), why };
        let artifact = Artifact::read(&bytes).map_err(wrong)?;
        let predictor = Arc::new(artifact.serving(BUDGET).map_err(wrong)?.clone());
        let meaning = match artifact.meaning() {
            Meaning::Probability => "probability",
            Meaning::LogWait => "wait",
        };
        let (hash, horizon) = (artifact.hash().to_owned(), artifact.horizon());
        self.loaded.retain(|model| model.name != name);
        if self.loaded.len() == MODELS_MAX {
            let serving = self.serving.as_ref().map(|model| model.name.clone());
            let is_idle = |model: &Model| Some(&model.name) != serving.as_ref();
            let oldest = self.loaded.iter().position(is_idle).unwrap_or(0);
            self.loaded.remove(oldest);
        }
        self.loaded.push(Model { name: name.clone(), hash, meaning, horizon, predictor });
        Ok(name)
    }

    /// Has the model of this name serve, or none; what the policy is to ask.
    ///
    /// # Errors
    /// There is none of this name; the one before serves on.
    pub fn choose(&mut self, name: Option<&str>) -> Result<Option<Arc<Predictor>>, ModelError> {
        let Some(name) = name else {
            self.serving = None;
            return Ok(None);
        };
        let found = self.loaded.iter().find(|model| model.name == name);
        let model = found.ok_or_else(|| ModelError::Unknown(name.to_owned()))?;
        let predictor = model.predictor.clone();
        self.serving = Some(model.clone());
        Ok(Some(predictor))
    }
}

/// Where a path leads, if that is below the folder.
fn below(folder: &Path, path: &str) -> Result<PathBuf, ModelError> {
    if folder.as_os_str().is_empty() {
        return Err(ModelError::NoFolder);
    }
    let outside = || ModelError::Outside(path.to_owned());
    let is_plain = |part: Component<'_>| matches!(part, Component::Normal(_) | Component::CurDir);
    if path.is_empty() || path.contains('\0') || !Path::new(path).components().all(is_plain) {
        return Err(outside());
    }
    let failed = |why| ModelError::File { path: path.to_owned(), why };
    let root = folder.canonicalize().map_err(failed)?;
    let file = root.join(path).canonicalize().map_err(failed)?;
    if file.starts_with(&root) && file != root { Ok(file) } else { Err(outside()) }
}

fn name_of(file: &Path) -> Option<String> {
    let name = file.file_stem()?.to_str()?;
    let is_plain = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte));
    let is_name = is_plain && name.len() <= NAME_MAX && !name.eq_ignore_ascii_case("none");
    is_name.then(|| name.to_owned())
}

fn read(file: &Path, path: &str) -> Result<Vec<u8>, ModelError> {
    let failed = |why| ModelError::File { path: path.to_owned(), why };
    let told = file.metadata().map_err(failed)?;
    if !told.is_file() {
        // A pipe or a device would be waited for.
        return Err(failed(io::Error::other("it is no file")));
    }
    let mut bytes = Vec::new();
    File::open(file).map_err(failed)?.take(FILE_MAX + 1).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() as u64 > FILE_MAX {
        let bytes = told.len().max(FILE_MAX + 1);
        return Err(ModelError::TooLarge { path: path.to_owned(), bytes });
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_files_below_the_folder_are_looked_at() {
        let outer = tempfile::tempdir().expect("a folder");
        let folder = outer.path().join("data");
        std::fs::create_dir_all(folder.join("models")).expect("a folder");
        for path in ["secret.model", "data/good.model", "data/models/deep.model"] {
            std::fs::write(outer.path().join(path), b"x").expect("a file");
        }
        std::os::unix::fs::symlink(outer.path().join("secret.model"), folder.join("link.model"))
            .expect("a link");
        std::os::unix::fs::symlink(folder.join("good.model"), folder.join("inner.model"))
            .expect("a link");
        for path in ["good.model", "./good.model", "models/deep.model", "inner.model"] {
            assert!(below(&folder, path).is_ok(), "{path}");
        }
        let absolute = outer.path().join("secret.model");
        let absolute = absolute.to_str().expect("a name");
        for path in
            ["", ".", "../secret.model", "models/../../secret.model", "link.model", absolute]
        {
            assert!(matches!(below(&folder, path), Err(ModelError::Outside(_))), "{path}");
        }
        assert!(matches!(below(&folder, "nosuch"), Err(ModelError::File { .. })));
        assert!(matches!(below(Path::new(""), "good.model"), Err(ModelError::NoFolder)));
        assert!(matches!(read(&folder.join("models"), "models"), Err(ModelError::File { .. })));
    }

    #[test]
    fn what_is_no_model_is_told_and_nothing_is_loaded() {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("bad.model"), [0xff; 100]).expect("a file");
        std::fs::write(folder.path().join("a b.model"), b"x").expect("a file");
        let mut models = Models::default();
        let error = models.load(folder.path(), "bad.model").expect_err("it is none");
        assert!(matches!(error, ModelError::Artifact { .. }), "{error}");
        let error = models.load(folder.path(), "a b.model").expect_err("it has no name");
        assert!(matches!(error, ModelError::Name(_)), "{error}");
        assert!(models.all().is_empty());
        assert!(matches!(models.choose(Some("bad")), Err(ModelError::Unknown(_))));
        assert!(models.choose(None).is_ok_and(|it| it.is_none()));
    }
}
