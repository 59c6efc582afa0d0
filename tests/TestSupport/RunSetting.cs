using System.Globalization;

namespace OrderInventory.TestSupport;

/// <summary>A setting for one run of the tests, such as a seed.</summary>
public static class RunSetting
{
    /// <exception cref="FormatException">The value is not a whole number: a run with a seed other than the wanted one proves nothing.</exception>
    public static int Of(string name, int otherwise) =>
        Environment.GetEnvironmentVariable(name) is { Length: > 0 } text ? int.Parse(text, CultureInfo.InvariantCulture) : otherwise;
}
