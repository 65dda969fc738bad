# Identity and access; its data lies in FlareDB.
import ../service.nix {
  name = "iam";
  description = "PlasmaCloud identity and access management";
  ports.port = 8080;
  after = [ "flaredb" ];
}
