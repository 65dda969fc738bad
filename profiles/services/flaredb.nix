# The database beside Chainfire.
import ../service.nix {
  name = "flaredb";
  description = "PlasmaCloud database";
  ports = {
    port = 2479;
    raftPort = 2480;
  };
  after = [ "chainfire" ];
}
