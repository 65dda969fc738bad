# Virtual networks between the machines of tenants.
let
  inherit (import ../sandbox.nix) directing;
in
import ../service.nix {
  name = "prismnet";
  description = "PlasmaCloud virtual networks";
  ports.port = 9091;
  after = [ "flaredb" ];
  privileged = true;
  # Network namespaces, packet sockets and modules of virtual switches stay. Network namespaces are mounts, which others
  # have to see: nothing here gives it a view of its own.
  serviceConfig = directing // {
    MemoryDenyWriteExecute = true;
    RestrictAddressFamilies = [
      "AF_INET"
      "AF_INET6"
      "AF_NETLINK"
      "AF_PACKET"
      "AF_UNIX"
      "AF_XDP"
    ];
  };
}
