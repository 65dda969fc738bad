# A machine that is control plane and worker at once.
{
  imports = [
    ./control-plane.nix
    ./worker.nix
  ];
}
