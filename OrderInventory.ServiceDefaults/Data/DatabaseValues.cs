using System.Buffers.Binary;
using System.Data.Common;
using System.Globalization;
using Microsoft.EntityFrameworkCore;
using Npgsql;

namespace OrderInventory.ServiceDefaults.Data;

/// <summary>Small facts about PostgreSQL that every service with EF Core meets.</summary>
public static class DatabaseValues
{
    /// <summary>
    /// Now, as PostgreSQL will store it: in whole microseconds. A finer time would be answered by the request that makes a row and
    /// by no later one.
    /// </summary>
    public static DateTimeOffset GetStorableNow(this TimeProvider time)
    {
        var now = time.GetUtcNow();
        return now.AddTicks(-(now.Ticks % TimeSpan.TicksPerMicrosecond));
    }

    /// <summary>No UUIDv7 of this millisecond or a later one is smaller, and each of an earlier one is.</summary>
    public static Guid FirstIdOf(long unixMilliseconds)
    {
        Span<byte> bytes = stackalloc byte[16];
        BinaryPrimitives.WriteInt64BigEndian(bytes, Math.Clamp(unixMilliseconds, 0, (1L << 48) - 1) << 16);
        return new(bytes, bigEndian: true);
    }

    /// <summary>The text of a column, or null. Npgsql knows nullable structs, but a reference type's null is its caller's business.</summary>
    public static string? GetStringOrNull(this NpgsqlDataReader reader, int ordinal) => reader.IsDBNull(ordinal) ? null : reader.GetString(ordinal);

    /// <summary>Adds a value to a statement that is put together from parts, and returns the placeholder that stands for it, such as <c>$3</c>. Times are UTC.</summary>
    public static string Add(this NpgsqlCommand command, object value)
    {
        command.Parameters.Add(new() { Value = value });
        return string.Create(CultureInfo.InvariantCulture, $"${command.Parameters.Count}");
    }

    /// <summary>Whether saving failed because another row has the value of this unique index already.</summary>
    public static bool IsUniqueViolation(this DbUpdateException exception, string index) =>
        exception.InnerException is PostgresException { SqlState: PostgresErrorCodes.UniqueViolation } postgres && postgres.ConstraintName == index;

    /// <summary>
    /// Whether the database failed for a reason that may be over at the next attempt: a lost connection, a deadlock, a serialization failure, a server that
    /// is still recovering or has become a standby, a statement or session that an administrator has ended. EF Core wraps what Npgsql throws, and what it throws
    /// itself while saving once more.
    /// </summary>
    public static bool IsTransientDatabaseFailure(this Exception? exception) => exception switch
    {
        null => false,
        DbException { IsTransient: true } => true,
        PostgresException
        {
            SqlState: PostgresErrorCodes.ReadOnlySqlTransaction or PostgresErrorCodes.QueryCanceled or PostgresErrorCodes.AdminShutdown or PostgresErrorCodes.CrashShutdown,
        } => true,
        _ => exception.InnerException.IsTransientDatabaseFailure(),
    };

    /// <summary>The escape character of <see cref="LikePattern"/>. It must be named: EF Core's ILike without it means none.</summary>
    public const string LikeEscape = @"\";

    /// <summary>A pattern for <c>ILIKE</c> that finds the text anywhere; what are wildcards to <c>LIKE</c> is literal here.</summary>
    public static string LikePattern(string text) =>
        $"%{text.Replace(@"\", @"\\", StringComparison.Ordinal).Replace("%", @"\%", StringComparison.Ordinal).Replace("_", @"\_", StringComparison.Ordinal)}%";
}
