# The formula for Homebrew, before a release: `release manifest` writes version, repository and sums into it.
class KubectlRunaiSecret < Formula
  desc "Create, share and attach secrets for Run:ai"
  homepage "$REPOSITORY"
  version "$NUMBER"
  license "Apache-2.0"

  on_macos do
    on_arm do
      url "$REPOSITORY/releases/download/$VERSION/kubectl-runai-secret-$VERSION-darwin-arm64.tar.gz"
      sha256 "$SHA256_DARWIN_ARM64"
    end
    on_intel do
      url "$REPOSITORY/releases/download/$VERSION/kubectl-runai-secret-$VERSION-darwin-amd64.tar.gz"
      sha256 "$SHA256_DARWIN_AMD64"
    end
  end

  on_linux do
    on_arm do
      url "$REPOSITORY/releases/download/$VERSION/kubectl-runai-secret-$VERSION-linux-arm64.tar.gz"
      sha256 "$SHA256_LINUX_ARM64"
    end
    on_intel do
      url "$REPOSITORY/releases/download/$VERSION/kubectl-runai-secret-$VERSION-linux-amd64.tar.gz"
      sha256 "$SHA256_LINUX_AMD64"
    end
  end

  def install
    bin.install "kubectl-runai_secret" => "kubectl-runai-secret"
    %w[kubectl-runai_secret kubectl_complete-runai_secret kubectl_complete-runai-secret].each do |name|
      bin.install_symlink "kubectl-runai-secret" => name
    end
    man1.install Dir["man/*.1"]
    bash_completion.install "completions/kubectl-runai-secret.bash" => "kubectl-runai-secret"
    zsh_completion.install "completions/_kubectl-runai-secret"
    fish_completion.install "completions/kubectl-runai-secret.fish"
  end

  test do
    assert_match version.to_s, shell_output("#{bin}/kubectl-runai_secret --version")
  end
end
