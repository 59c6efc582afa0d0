using System.Diagnostics;
using System.Text.Json.Nodes;

namespace OrderInventory.EndToEnd.Tests;

/// <summary>The manifest of <c>aspire publish</c>: every service with its references, no embedded process, no secret.</summary>
public sealed class ManifestTests
{
    private static readonly string s_committed = Path.Combine(Repository.Root, "deploy/manifest.json");

    [Fact]
    public async Task The_published_manifest_is_the_committed_one()
    {
        // At the same depth as the committed file, because the manifest names projects by relative paths.
        var file = Path.Combine(Repository.Root, "artifacts/manifest.json");
        Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        await PublishAsync(file);

        var published = await File.ReadAllTextAsync(file);
        if (Environment.GetEnvironmentVariable("UPDATE_SNAPSHOTS") == "1")
        {
            Directory.CreateDirectory(Path.GetDirectoryName(s_committed)!);
            await File.WriteAllTextAsync(s_committed, published);
        }

        Assert.Equal(await File.ReadAllTextAsync(s_committed), published);
        var resources = JsonNode.Parse(published)!["resources"]!.AsObject();
        Assert.DoesNotContain(resources, resource => (string?)resource.Value!["type"] == "executable.v0");
        var gateway = Assert.Single(resources, resource => resource.Value!["bindings"]?["http"]?["external"]?.GetValue<bool>() == true);
        Assert.Equal("gateway", gateway.Key);
        // The only parameter that is not a secret is the authority whose tokens are trusted.
        Assert.All(resources.Where(resource => resource.Value!["inputs"] is not null && resource.Key != "authentication-authority"), resource => Assert.True((bool?)resource.Value!["inputs"]!["value"]!["secret"]));
        Assert.DoesNotContain("InstanceId", published, StringComparison.Ordinal);
    }

    private static async Task PublishAsync(string file)
    {
        var start = new ProcessStartInfo("dotnet", [AppHostProcess.Assembly, "--operation", "publish", "--publisher", "manifest", "--output-path", file])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        // The gateway's port is part of what is published; the environment of the test must not decide it.
        start.Environment.Remove("GATEWAY_PORT");
        using var publish = Process.Start(start)!;
        var said = await Task.WhenAll(publish.StandardOutput.ReadToEndAsync(), publish.StandardError.ReadToEndAsync());
        await publish.WaitForExitAsync();
        Assert.True(publish.ExitCode == 0, string.Concat(said));
    }
}
