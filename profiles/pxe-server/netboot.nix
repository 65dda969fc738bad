# The files that machines load when they boot, by architecture (DHCP option 93: IANA's "Processor Architecture Types"),
# and the TFTP root. src/model/netboot.rs has the same table for the rendered files.
{ cfg }:
let
  url = "http://${cfg.serverAddress}:${toString cfg.httpPort}/boot";
  tftp = architecture: file: {
    inherit architecture file;
    http = false;
  };
  # UEFI over HTTP expects a URL, and its vendor class in the answer: UEFI 2.10 section 24.7.
  http = architecture: file: {
    inherit architecture;
    file = "${url}/tftp/${file}";
    http = true;
  };
in
{
  tftpRoot = "${cfg.webRoot}/tftp";
  script = "${url}/ipxe/boot.ipxe";
  default = "ipxe.efi";
  loaders = [
    (tftp 0 "undionly.kpxe") # BIOS
    (tftp 6 "ipxe-ia32.efi") # UEFI on 32-bit x86
    (tftp 7 "ipxe.efi") # UEFI on 64-bit x86
    (tftp 9 "ipxe.efi")
    (tftp 11 "ipxe-arm64.efi") # UEFI on 64-bit ARM
    (http 16 "ipxe.efi")
    (http 19 "ipxe-arm64.efi")
  ];
}
