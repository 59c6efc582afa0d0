namespace OrderInventory.Campaign.Faults;

/// <summary>A file that takes all free space of a small file system until it is deleted.</summary>
internal sealed class Disk : IDisposable
{
    private const long Small = 4L * 1024 * 1024 * 1024;
    private readonly string _file;

    private Disk(string file) => _file = file;

    /// <summary>
    /// Whether the folder is the root of a separate file system that is small enough to be filled (bench/campaign.sh mounts one on request).
    /// </summary>
    public static bool IsSmall(string folder) => DriveInfo.GetDrives().FirstOrDefault(drive => drive.Name == Path.GetFullPath(folder)) is { } drive && drive.TotalSize < Small;

    public static Disk Fill(string folder)
    {
        var file = Path.Combine(folder, "filler");
        using var stream = new FileStream(file, FileMode.Create);
        var block = new byte[1024 * 1024];
        try
        {
            while (true)
            {
                stream.Write(block);
                stream.Flush();
            }
        }
        catch (IOException)
        {
            // Full.
        }

        return new(file);
    }

    public void Dispose() => File.Delete(_file);
}
