namespace OrderInventory.AppHost.Infrastructure;

/// <summary>Programs from npm packages, by exact version, installed once per user (not into the repository).</summary>
internal static class Npm
{
    public static bool IsInstalled => Command.Find("npm") is not null && Command.Find("node") is not null;

    /// <returns>The package's folder.</returns>
    public static async Task<string> InstallAsync(string package, string version, string what)
    {
        var folder = Path.Combine(CacheFolder, $"{package.Replace('@', '_').Replace('/', '_')}-{version}");
        var installed = Path.Combine(folder, "node_modules", package);
        if (Directory.Exists(installed))
        {
            return installed;
        }

        Console.WriteLine($"Installing {what} (npm {package} {version}, once) ...");

        // An incomplete install must not look complete, and two AppHosts may start at the same time: install into a separate folder, then rename it.
        var staging = $"{folder}.{Environment.ProcessId}";
        try
        {
            Directory.CreateDirectory(staging);
            await Command.RunAsync(
                $"npm install {package}",
                "npm",
                ["install", "--no-save", "--no-package-lock", "--no-audit", "--no-fund", "--prefix", staging, $"{package}@{version}"],
                staging);
            if (!Directory.Exists(folder))
            {
                Directory.Move(staging, folder);
            }
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            throw new DistributedApplicationException($"{what} cannot be installed in {folder}: {problem.Message}");
        }
        finally
        {
            if (Directory.Exists(staging))
            {
                Directory.Delete(staging, recursive: true);
            }
        }

        return installed;
    }

    private static string CacheFolder => Path.Combine(
        Environment.GetEnvironmentVariable("XDG_CACHE_HOME") is { Length: > 0 } cache
            ? cache
            : Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".cache"),
        "order-inventory",
        "npm");
}
