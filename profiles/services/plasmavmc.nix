# Virtual machines. The service starts a unit plasmavmc-vm@ for each machine.
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
  # The virtual machines run in separate units and do not inherit these restrictions.
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
