using System.Diagnostics;
using System.Net.Http.Json;
using System.Text.Json;
using System.Text.Json.Nodes;
using OrderInventory.AppHost.Infrastructure;

namespace OrderInventory.TestSupport;

/// <summary>A third-party OpenID Connect provider: the npm package oauth2-mock-server, as its own process on loopback.</summary>
public sealed class ForeignIssuer : IDisposable
{
    private const string Version = "9.3.0";

    private const string Script =
        """
        import { OAuth2Server } from 'oauth2-mock-server';
        const server = new OAuth2Server();
        await server.issuer.keys.generate('RS256');
        server.service.on('beforeTokenSigning', (token, request) => Object.assign(token.payload, JSON.parse(request.body.claims)));
        await server.start(0, '127.0.0.1');
        console.log(server.issuer.url);
        """;

    private readonly Process _process;

    private ForeignIssuer(Process process, string issuer) => (_process, Issuer) = (process, issuer);

    /// <summary>The issuer as its tokens name it.</summary>
    public string Issuer { get; }

    /// <returns>Null where npm is not installed.</returns>
    public static async Task<ForeignIssuer?> StartAsync()
    {
        if (!Npm.IsInstalled)
        {
            return null;
        }

        var package = await Npm.InstallAsync("oauth2-mock-server", Version, "a foreign issuer for a test");
        // Node resolves modules from the script's folder.
        var script = Path.Combine(package, "..", "..", "issuer.mjs");
        await File.WriteAllTextAsync(script, Script);
        var process = Process.Start(new ProcessStartInfo("node", [script]) { RedirectStandardOutput = true })!;
        var issuer = await process.StandardOutput.ReadLineAsync().WaitAsync(TimeSpan.FromSeconds(60));
        return new(process, issuer ?? throw new InvalidOperationException("The foreign issuer did not start."));
    }

    /// <summary>A token with these claims, in addition to those that the issuer sets itself.</summary>
    public async Task<string> TokenAsync(object claims)
    {
        using var http = new HttpClient();
        using var form = new FormUrlEncodedContent(new Dictionary<string, string>
        {
            ["grant_type"] = "client_credentials",
            ["claims"] = JsonSerializer.Serialize(claims),
        });
        using var response = await http.PostAsync(new Uri($"{Issuer}/token"), form);
        return (string)(await response.Content.ReadFromJsonAsync<JsonNode>())!["access_token"]!;
    }

    public void Dispose()
    {
        _process.Kill();
        _process.Dispose();
    }
}
