//! The script of a bundle, which iPXE runs from `nixos/<base>/current/boot.ipxe`.

use anyhow::Result;
use serde::Serialize;

use super::kernel::Kernel;
use super::recipe::Recipe;
use crate::fs::Sha256Sum;
use crate::render::{Renderer, Template, template};

const TEMPLATE: Template = template!("bundle.ipxe.j2");

/// The facts that the script is rendered from.
pub(super) struct Script<'a> {
    pub(super) recipe: &'a Recipe,
    pub(super) kernel: &'a Kernel,
    pub(super) words: &'a [&'a str],
    pub(super) id: Sha256Sum,
    pub(super) kernel_sha256: Sha256Sum,
    pub(super) initrd_sha256: Sha256Sum,
}

#[derive(Serialize)]
struct Context<'a> {
    profile: &'a str,
    kernel_version: &'a str,
    id: Sha256Sum,
    init: Option<&'a str>,
    command_line: &'a [&'a str],
    kernel_sha256: Sha256Sum,
    initrd_sha256: Sha256Sum,
}

impl Script<'_> {
    /// Renders the script.
    ///
    /// # Errors
    /// When iPXE cannot express a word of the command line.
    pub(super) fn render(&self) -> Result<String> {
        let context = Context {
            profile: &self.recipe.base,
            kernel_version: &self.kernel.version,
            id: self.id,
            init: self.recipe.init.as_deref(),
            command_line: self.words,
            kernel_sha256: self.kernel_sha256,
            initrd_sha256: self.initrd_sha256,
        };
        Renderer::new(&[TEMPLATE])?.render(TEMPLATE.name, &context)
    }
}
