using System.Text.Json;
using System.Text.Json.Serialization;

namespace OrderInventory.Load;

/// <summary>The addresses of the running system, from the file that it writes when it is healthy.</summary>
internal sealed record Endpoints(Uri Gateway, IReadOnlyDictionary<string, Uri> Services, IReadOnlyDictionary<string, string> Postgres, string Kafka = "", string? Token = null)
{
    private const string DefaultFile = ".run/endpoints.json";

    public Uri Service(string name, bool throughGateway) => throughGateway ? Gateway
        : Services.TryGetValue(name, out var address) ? address
        : throw new LoadException($"The running system has no address of the service '{name}'.");

    /// <summary>The driver's token: the one in LOAD_TOKEN, or that of the development issuer's administrator.</summary>
    public string Bearer => Environment.GetEnvironmentVariable("LOAD_TOKEN") ?? Token
        ?? throw new LoadException("The running system has no token (it has no development issuer): set LOAD_TOKEN to one with the role admin.");

    public string Database(string name) => Postgres.TryGetValue(name, out var connection)
        ? connection
        : throw new LoadException($"The running system has no database of '{name}'.");

    public static async Task<Endpoints> ReadAsync(string? file, CancellationToken cancellationToken)
    {
        file ??= Find();
        try
        {
            await using var stream = File.OpenRead(file);
            return await JsonSerializer.DeserializeAsync(stream, EndpointsJson.Default.Endpoints, cancellationToken)
                ?? throw new LoadException($"{file} is empty.");
        }
        catch (Exception problem) when (problem is IOException or JsonException or UnauthorizedAccessException)
        {
            throw new LoadException($"The addresses of the running system cannot be read ({problem.Message}). Is it running? --endpoints sets the file.");
        }
    }

    private static string Find()
    {
        for (var folder = new DirectoryInfo(Environment.CurrentDirectory); folder is not null; folder = folder.Parent)
        {
            var file = Path.Combine(folder.FullName, DefaultFile);
            if (File.Exists(file))
            {
                return file;
            }
        }

        return DefaultFile;
    }
}

[JsonSourceGenerationOptions(JsonSerializerDefaults.Web)]
[JsonSerializable(typeof(Endpoints))]
internal sealed partial class EndpointsJson : JsonSerializerContext;
