using System.Collections.Concurrent;
using Npgsql;
using OrderInventory.Notifications.Channels;
using OrderInventory.Notifications.Domain;
using OrderInventory.ServiceDefaults.Data;

namespace OrderInventory.Notifications.Data;

/// <summary>The company's own templates for the senders: the current versions are queried per batch, and parsed templates are cached.</summary>
internal sealed class TemplateStore(NpgsqlDataSource database)
{
    private readonly ConcurrentDictionary<TemplateKey, StoredTemplate> _parsed = new();

    /// <summary>The current templates of a channel with these names, in all languages.</summary>
    public async Task<Dictionary<TemplateKey, StoredTemplate>> LoadAsync(
        NotificationChannel channel, IEnumerable<string> templates, CancellationToken cancellationToken)
    {
        var current = new Dictionary<TemplateKey, StoredTemplate>();
        var missing = new List<TemplateKey>();
        await using (var command = database.CreateCommand("SELECT template, language, version FROM message_templates WHERE channel = $1 AND template = ANY ($2)"))
        {
            command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = NotificationsDb.Name(channel) });
            command.Parameters.Add(new NpgsqlParameter<string[]> { TypedValue = [.. templates.Distinct()] });
            await using var reader = await command.ExecuteReaderAsync(cancellationToken);
            while (await reader.ReadAsync(cancellationToken))
            {
                var key = new TemplateKey(reader.GetString(0), channel, reader.GetString(1));
                if (_parsed.TryGetValue(key, out var parsed) && parsed.Version == reader.GetInt64(2))
                {
                    current[key] = parsed;
                }
                else
                {
                    missing.Add(key);
                }
            }
        }

        foreach (var key in missing)
        {
            if (await ReadAsync(key, cancellationToken) is { } template)
            {
                current[key] = _parsed[key] = template;
            }
        }

        return current;
    }

    private async Task<StoredTemplate?> ReadAsync(TemplateKey key, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand(
            "SELECT version, subject, body, html FROM message_templates WHERE template = $1 AND channel = $2 AND language = $3");
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = key.Template });
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = NotificationsDb.Name(key.Channel) });
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = key.Language });
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        return await reader.ReadAsync(cancellationToken)
            ? new(reader.GetInt64(0), ParsedTemplate.Parse(key.Channel, new(reader.GetStringOrNull(1), reader.GetString(2), reader.GetStringOrNull(3)), []))
            : null;
    }
}

/// <summary>One of the company's own templates. Without a parsed template it is broken, which only a change of this program can cause.</summary>
internal sealed record StoredTemplate(long Version, ParsedTemplate? Parsed);
