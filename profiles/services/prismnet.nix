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
  # Network namespaces, packet sockets and modules of virtual switches stay allowed. Network namespaces are mounts that
  # other processes must see, so no setting here makes a mount namespace.
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
