# The database beside Chainfire.
import ../service.nix {
  name = "flaredb";
  description = "PlasmaCloud database";
  ports = {
    port = 2479;
    raftPort = 2480;
  };
  after = [ "chainfire" ];
  # Where memory runs out, a tenant's machine goes before a voter.
  serviceConfig.OOMScoreAdjust = -600;
}
