# Identity and access management, with its data in FlareDB.
import ../service.nix {
  name = "iam";
  description = "PlasmaCloud identity and access management";
  ports.port = 8080;
  after = [ "flaredb" ];
}
