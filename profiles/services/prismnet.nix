# Virtual networks between the machines of tenants.
import ../service.nix {
  name = "prismnet";
  description = "PlasmaCloud virtual networks";
  ports.port = 9091;
  after = [ "flaredb" ];
  privileged = true;
}
