# The files that machines load when they boot, by architecture (DHCP option 93: IANA's "Processor Architecture Types") and
# by platform, and the TFTP root. src/model/netboot.rs and src/outputs/dhcp/boot_files.rs have the same for the rendered
# files.
{ lib, cfg }:
let
  url = "http://${cfg.serverAddress}:${toString cfg.httpPort}/boot";
  tftp = system: architecture: file: {
    inherit system architecture file;
    http = false;
  };
  # UEFI over HTTP expects a URL, and its vendor class in the answer: UEFI 2.10 section 24.7.
  http = system: architecture: file: {
    inherit system architecture;
    file = "${url}/tftp/${file}";
    http = true;
  };
  x86 = "x86_64-linux";
  arm = "aarch64-linux";

  loaders = [
    (tftp x86 0 "undionly.kpxe") # BIOS
    (tftp x86 6 "ipxe-ia32.efi") # UEFI on 32-bit x86
    (tftp x86 7 "ipxe.efi") # UEFI on 64-bit x86
    (tftp x86 9 "ipxe.efi")
    (tftp arm 11 "ipxe-arm64.efi") # UEFI on 64-bit ARM
    (tftp arm 22 "ipxe-arm64.efi") # U-Boot on 64-bit ARM
    (http x86 16 "ipxe.efi")
    (http arm 19 "ipxe-arm64.efi")
    (http arm 24 "ipxe-arm64.efi")
  ];

  # The system and the firmware of a machine decide where the announced architectures do not fit.
  platform =
    system: firmware: file: httpFile:
    {
      inherit system file;
      name = "${system}-${firmware}";
      url = "${url}/tftp/${httpFile}";
      foreignHttp = lib.filter (loader: loader.http && loader.system != system) loaders;
    };
  nameOf = node: if node.system == null then null else "${node.system}-${node.firmware}";
  reserved = lib.filter (node: node.ipAddress != null) (lib.attrValues cfg.nodes);
  isUsed = platform: lib.any (node: nameOf node == platform.name) reserved;
  platforms = lib.filter isUsed [
    (platform x86 "uefi" "ipxe.efi" "ipxe.efi")
    (platform x86 "bios" "undionly.kpxe" "ipxe.efi")
    (platform arm "uefi" "ipxe-arm64.efi" "ipxe-arm64.efi")
  ];
  # The platforms of machines on which the loader does not run.
  foreign = loader: map (platform: platform.name) (lib.filter (platform: platform.system != loader.system) platforms);
in
{
  tftpRoot = "${cfg.webRoot}/tftp";
  script = "${url}/ipxe/boot.ipxe";
  default = "ipxe.efi";
  loaders = map (loader: loader // { foreign = foreign loader; }) loaders;
  inherit platforms nameOf;
}
