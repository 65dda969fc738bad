//! How a machine's firmware boots from the network.

use serde::{Deserialize, Serialize};

use crate::model::{Firmware, Loader, System};

/// How a machine's firmware boots from the network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BootMethod {
    /// BIOS, over PXE.
    Bios,
    /// UEFI, over PXE.
    Uefi,
    /// UEFI, over HTTP.
    UefiHttp,
}

impl BootMethod {
    /// The name on the command line.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Bios => "bios",
            Self::Uefi => "uefi",
            Self::UefiHttp => "uefi-http",
        }
    }

    /// The firmware of such a machine.
    pub(super) fn firmware(self) -> Firmware {
        match self {
            Self::Bios => Firmware::Bios,
            Self::Uefi | Self::UefiHttp => Firmware::Uefi,
        }
    }

    /// The build of iPXE that the firmware of such a machine loads.
    pub(super) fn loader(self, system: System) -> Loader {
        match self {
            Self::UefiHttp => Loader::over_http(system),
            Self::Bios | Self::Uefi => Loader::over_pxe(self.firmware(), system),
        }
    }
}

impl From<Firmware> for BootMethod {
    fn from(firmware: Firmware) -> Self {
        match firmware {
            Firmware::Bios => Self::Bios,
            Firmware::Uefi => Self::Uefi,
        }
    }
}
