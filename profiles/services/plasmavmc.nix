# Virtual machines: starts a unit plasmavmc-vm@ for each.
let
  inherit (import ../sandbox.nix) directing;
in
import ../service.nix {
  name = "plasmavmc";
  description = "PlasmaCloud virtual machines";
  ports.port = 9090;
  after = [
    "flaredb"
    "prismnet"
  ];
  privileged = true;
  # The machines run in units of their own: this holds for what directs them.
  serviceConfig = directing // {
    ProtectHome = true;
    ProtectHostname = true;
    ProtectKernelLogs = true;
    ProtectKernelModules = true;
    ProtectSystem = "full";
    RestrictAddressFamilies = [
      "AF_INET"
      "AF_INET6"
      "AF_NETLINK"
      "AF_UNIX"
      "AF_VSOCK"
    ];
    SystemCallFilter = directing.SystemCallFilter ++ [ "~@module" ];
  };
}
