namespace OrderInventory.Contracts;

/// <summary>An amount in one currency. Decimal, never floating point.</summary>
/// <param name="Amount">In units of the currency (18.00 means eighteen euros), not in cents.</param>
/// <param name="Currency">ISO 4217 code, upper case.</param>
public sealed record Money(decimal Amount, string Currency);
