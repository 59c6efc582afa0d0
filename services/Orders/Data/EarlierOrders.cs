using Npgsql;

namespace OrderInventory.Orders.Data;

/// <summary>The order that an Idempotency-Key has created before.</summary>
/// <param name="OrderId">The order.</param>
/// <param name="Fingerprint">The fingerprint of its request; empty when the customer was erased.</param>
internal sealed record EarlierOrder(Guid OrderId, byte[] Fingerprint);

internal sealed class EarlierOrders(NpgsqlDataSource database)
{
    /// <summary>Finds the order that the key of the caller, a token's subject, has created. Null when there is no committed order.</summary>
    public async Task<EarlierOrder?> FindAsync(string caller, string key, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand("SELECT resource_id, fingerprint FROM idempotency_keys WHERE caller = $1 AND key = $2");
        command.Parameters.Add(new() { Value = caller });
        command.Parameters.Add(new() { Value = key });
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        return await reader.ReadAsync(cancellationToken) ? new(reader.GetGuid(0), reader.GetFieldValue<byte[]>(1)) : null;
    }
}
