# The base `all-in-one`: a machine that is control plane and worker.
{
  imports = [
    ./control-plane.nix
    ./worker.nix
  ];
}
