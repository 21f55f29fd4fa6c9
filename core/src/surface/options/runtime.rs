//! Which of Rockchip's libraries is used.

use std::path::PathBuf;

/// How a `librkllmrt.so` is taken.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RuntimeOptions {
    /// The version of the library, such as `1.1.2` or `1.3.0`, where it cannot be told from the file.
    /// It is checked against what is found in the file. Unset: told from the file, or the environment
    /// variable `RKCHAT_ABI`.
    pub abi: Option<String>,
    /// Take `abi` as it is, whatever is found in the file. A wrong one crashes the process. The same as
    /// `!` at the end of `RKCHAT_ABI`.
    /// @default false
    pub abi_unchecked: bool,
}

/// Which `librkllmrt.so` is looked for, among those on this machine.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct FindOptions {
    /// The version of the toolkit that the model was converted with, such as `1.1.2`: a runtime that
    /// fits it is chosen. Unset: the newest runtime.
    pub model_version: Option<String>,
    /// A folder that may hold a `librkllmrt.so` besides a model. It counts only if it is one of
    /// Rockchip's official files. Unset: none.
    pub model_folder: Option<PathBuf>,
    /// Take a runtime also where this pair of versions is known to fail.
    /// @default false
    pub any_version: bool,
}

/// Which `librkllmrt.so` is fetched, and from where. One of `release` and `model_version` is set.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct GetOptions {
    /// The release, such as `1.1.4`. Unset: the one that fits `model_version`.
    pub release: Option<String>,
    /// The version of the toolkit that a model was converted with. Unset: `release` says which.
    pub model_version: Option<String>,
    /// Where it is taken from: a URL, a file, or a folder. Unset: the vendor's public repository.
    pub source: Option<String>,
    /// What it is for: `Linux/aarch64`, `Linux/armhf`, or one of Android's. Unset: this machine, or
    /// `Linux/aarch64` where this is no Arm machine.
    pub platform: Option<String>,
}
