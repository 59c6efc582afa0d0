using System.Collections.Frozen;
using System.Globalization;
using OrderInventory.ServiceDefaults.Http;

namespace OrderInventory.ServiceDefaults.Text;

/// <summary>
/// The currencies of ISO 4217 with their minor units: list one as published on 2024-06-25, with XCG (2025-03-31) and without the codes that have
/// no minor unit (metals, bond units, test and "no currency"), which are not used for prices.
/// </summary>
public static class Currencies
{
    private static readonly FrozenDictionary<string, int> s_minorUnits = Read(
        (0, "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF"),
        (2, "AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD CDF CHE CHF CHW CNY COP COU CRC CUC " +
            "CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT " +
            "LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON " +
            "RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD USN UYU UZS VED VES WST XCD " +
            "XCG YER ZAR ZMW ZWG"),
        (3, "BHD IQD JOD KWD LYD OMR TND"),
        (4, "CLF UYW"));

    /// <summary>Decimal places of the currency's smallest unit; null when there is no such currency.</summary>
    public static int? MinorUnits(string? currency) => currency is not null && s_minorUnits.TryGetValue(currency, out var units) ? units : null;

    /// <summary>
    /// The amount with exactly the decimal places of its currency: 18, 18.0 and 18.00000 are all 18.00 EUR. Unchanged when the currency is
    /// unknown or the amount is not a whole number of its smallest units.
    /// </summary>
    public static decimal Canonical(decimal amount, string? currency)
    {
        if (MinorUnits(currency) is not { } units || decimal.Round(amount, units) != amount)
        {
            return amount;
        }

        // Rounding drops surplus zeros, and adding a zero of the right scale appends missing ones.
        return decimal.Round(amount, units) + new decimal(0, 0, 0, false, (byte)units);
    }

    /// <summary>Adds an error for an unknown currency, or for an amount that is not a whole number of the currency's smallest units.</summary>
    public static void RequireMoney(this RequestErrors errors, decimal amount, string? currency, string path)
    {
        if (MinorUnits(currency) is not { } units)
        {
            errors.Add($"{path}.currency", "An ISO 4217 code like EUR is required.");
            return;
        }

        errors.Require(decimal.Round(amount, units) == amount, $"{path}.amount", units == 0
            ? $"{currency} has no decimal places."
            : string.Create(CultureInfo.InvariantCulture, $"{currency} has at most {units} decimal places."));
    }

    private static FrozenDictionary<string, int> Read(params (int Units, string Codes)[] groups) =>
        groups.SelectMany(group => group.Codes.Split(' ').Select(code => (code, group.Units))).ToFrozenDictionary(entry => entry.code, entry => entry.Units);
}
