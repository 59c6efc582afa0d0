using System.Text.Json.Nodes;

namespace OrderInventory.EndToEnd.Tests.Api;

/// <summary>
/// The resources that requests can address: those that a test has named and those found in responses, with their last ETags. So a
/// request for a hold usually finds one, in whatever state earlier requests have left it.
/// </summary>
internal sealed class KnownResources(Random random, params string[] urls)
{
    private const int MaxOfACollection = 8;

    private readonly List<string> _urls = [.. urls];
    private readonly Dictionary<string, string> _etags = [];
    private readonly List<string> _cursors = [];

    /// <summary>A URL for the path, with the ids of a known resource; null if none of this kind is known.</summary>
    public string? Find(string path)
    {
        var template = path.Split('/');
        var fitting = _urls.Where(url => Fits(url.Split('/'), template)).ToList();
        if (fitting.Count == 0)
        {
            return null;
        }

        var longest = fitting.Max(url => url.Count(c => c == '/'));
        var best = fitting.FindAll(url => url.Count(c => c == '/') == longest);
        var known = best[random.Next(best.Count)].Split('/');
        return string.Join('/', known.Concat(template.Skip(known.Length)));
    }

    /// <summary>An id from the collection with this name, or from any collection.</summary>
    public string FindId(string collection)
    {
        var ids = _urls.Where(url => Guid.TryParse(url[(url.LastIndexOf('/') + 1)..], out _)).ToList();
        var own = ids.FindAll(url => url.Contains($"/{collection}/", StringComparison.Ordinal));
        var from = own.Count > 0 && random.Next(5) > 0 ? own : ids;
        var url = from[random.Next(from.Count)];
        return url[(url.LastIndexOf('/') + 1)..];
    }

    /// <summary>A cursor that some list has returned, not always the requested list.</summary>
    public string? FindCursor() => _cursors.Count == 0 ? null : _cursors[random.Next(_cursors.Count)];

    /// <summary>The last ETag of the resource, or of the resource that the URL is an action of.</summary>
    public string? FindETag(string url)
    {
        for (; url.Length > 0; url = url[..Math.Max(0, url.LastIndexOf('/'))])
        {
            if (_etags.TryGetValue(url, out var etag))
            {
                return etag;
            }
        }

        return null;
    }

    public void Learn(HttpRequestMessage request, HttpResponseMessage response, JsonNode? body)
    {
        if (body is JsonObject list && list["next"] is JsonValue next && next.TryGetValue<string>(out var cursor) && _cursors.Count < 100)
        {
            _cursors.Add(cursor);
        }

        var url = request.RequestUri!.OriginalString.Split('?')[0];
        var made = response.Headers.Location?.OriginalString;
        if (made is not null)
        {
            Add(made);
        }

        if (request.Method == HttpMethod.Get && body is JsonObject page && page["items"] is JsonArray items)
        {
            foreach (var id in items.Select(item => item is JsonObject resource && resource["id"] is JsonValue id ? id.ToString() : null).OfType<string>())
            {
                Add($"{url}/{id}");
            }
        }

        if (response.Headers.NonValidated.TryGetValues("ETag", out var etag))
        {
            var resource = made ?? url;
            // An action or a subresource answers with the ETag of the whole resource.
            _etags[_urls.Where(known => known == resource || resource.StartsWith(known + "/", StringComparison.Ordinal)).MaxBy(known => known.Length) ?? resource] = etag.ToString();
        }
    }

    /// <summary>In a full collection, a new URL replaces a random one, so that both existing and deleted resources are known.</summary>
    private void Add(string url)
    {
        if (_urls.Contains(url))
        {
            return;
        }

        var collection = _urls.FindAll(known => known[..known.LastIndexOf('/')] == url[..url.LastIndexOf('/')]);
        if (collection.Count == MaxOfACollection)
        {
            _urls.Remove(collection[random.Next(MaxOfACollection)]);
        }

        _urls.Add(url);
    }

    /// <summary>Whether the URL matches the beginning of the template; the rest of the template must have no parameter.</summary>
    private static bool Fits(string[] url, string[] template) =>
        url.Length <= template.Length
        && url.Zip(template).All(pair => pair.First == pair.Second || IsParameter(pair.Second))
        && !template.Skip(url.Length).Any(IsParameter);

    private static bool IsParameter(string segment) => segment.StartsWith('{');
}
