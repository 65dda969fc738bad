# The database, which uses Chainfire.
import ../service.nix {
  name = "flaredb";
  description = "PlasmaCloud database";
  ports = {
    port = 2479;
    raftPort = 2480;
  };
  after = [ "chainfire" ];
  # When memory runs out, the kernel kills a tenant's machine rather than a voter.
  serviceConfig.OOMScoreAdjust = -600;
}
