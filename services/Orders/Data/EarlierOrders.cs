using Npgsql;

namespace OrderInventory.Orders.Data;

/// <summary>What an Idempotency-Key has made before.</summary>
/// <param name="OrderId">The order.</param>
/// <param name="Fingerprint">Of its request; empty when the customer was erased.</param>
internal sealed record EarlierOrder(Guid OrderId, byte[] Fingerprint);

internal sealed class EarlierOrders(NpgsqlDataSource database)
{
    /// <summary>What the key of the caller, a token's subject, has made. Null when the key has made none, or its request has not committed yet.</summary>
    public async Task<EarlierOrder?> FindAsync(string caller, string key, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand("SELECT resource_id, fingerprint FROM idempotency_keys WHERE caller = $1 AND key = $2");
        command.Parameters.Add(new() { Value = caller });
        command.Parameters.Add(new() { Value = key });
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        return await reader.ReadAsync(cancellationToken) ? new(reader.GetGuid(0), reader.GetFieldValue<byte[]>(1)) : null;
    }
}
