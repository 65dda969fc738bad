# Virtual machines: starts a unit plasmavmc-vm@ for each.
import ../service.nix {
  name = "plasmavmc";
  description = "PlasmaCloud virtual machines";
  ports.port = 9090;
  after = [
    "flaredb"
    "prismnet"
  ];
  privileged = true;
}
